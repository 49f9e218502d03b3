/**
 * Stores the last known rules and services and their ages, so that a controller that starts while Consul is down still
 * protects and knows the age of its data.
 *
 * The file has ages and the instant of writing, not times of day. While only ages change it is written seldom: a
 * stored age may be too high, never too low.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import { elapsed, type Instant, steadyNow, thisInstant } from '../../common/steady-clock.ts';
import { formatPrefix, parseAddress } from '../../net/address.ts';
import type { LastKnownState } from '../consul-cache.ts';
import type { NodeServices } from '../node-services.ts';
import { STATE_FILES } from './file-names.ts';
import { StateFolderFile } from './state-folder-file.ts';

export interface StateFileOptions {
  readonly retryAfter?: number;
  /** Milliseconds between two writes while only ages change. */
  readonly refresh?: number;
  readonly clock?: StateClock;
}

export interface StateClock {
  /** The controller's clock in ms; it never goes back. */
  readonly now: () => number;
  readonly instant: () => Instant;
}

const CLOCK: StateClock = { now: steadyNow, instant: thisInstant };

const LONGEST_REFRESH = 300_000;

const Instances = z.array(
  z.object({ address: z.string(), port: z.number(), tags: z.array(z.string()), node: z.string() }),
);

const Ages = z.object({
  at: z.object({ wall: z.number(), uptime: z.number(), boot: z.string().optional() }),
  /** In ms. */
  rules: z.number().optional(),
  /** Of the ingress keys. */
  ingress: z.number().optional(),
  services: z.array(z.tuple([z.string(), z.number()])),
});

const KnownNodeServices = z.object({
  node: z.string(),
  /** Under which they were known: after a reboot, the Engine may give their addresses to other containers. */
  boot: z.string(),
  services: z.array(
    z.object({
      ...{ registration: z.string(), name: z.string(), address: z.string() },
      ...{ port: z.number().int().min(1).max(65_535), protocol: z.enum(['tcp', 'udp', 'sctp']) },
    }),
  ),
});

const Content = z.object({
  rules: z.array(z.tuple([z.string(), z.string()])),
  /** Missing where no container has named an ingress key. */
  ingress: z.array(z.tuple([z.string(), z.string()])).optional(),
  services: z.array(z.tuple([z.string(), Instances])),
  /** Missing in files of version 1.0. */
  ages: Ages.optional(),
  nodeServices: KnownNodeServices.optional(),
});

export class StateFile {
  readonly #file: StateFolderFile;
  readonly #refresh: number;
  readonly #clock: StateClock;
  #saved: { readonly state: LastKnownState; readonly at: number } | undefined;
  #latest: LastKnownState | undefined;

  constructor(directory: string, log: Logger, options: StateFileOptions = {}) {
    const { retryAfter, refresh = LONGEST_REFRESH, clock = CLOCK } = options;
    this.#file = new StateFolderFile(join(directory, STATE_FILES.known), log, {
      what: 'last known rules',
      ...(retryAfter !== undefined && { retryAfter }),
    });
    this.#refresh = Math.min(refresh, LONGEST_REFRESH);
    this.#clock = clock;
  }

  /** The stored state; undefined if there is nothing usable. Never throws. */
  load(): Promise<LastKnownState | undefined> {
    return this.#file.read((content) => decode(content, this.#clock));
  }

  /** Stores `state` in the background if more than its ages has changed. */
  save(state: LastKnownState): void {
    this.#latest = state;
    const { now } = this.#clock;
    const isFresh = this.#saved !== undefined && now() - this.#saved.at < this.#refresh;
    if (!isFresh || !isSame(this.#saved?.state, state)) this.#write(state);
  }

  /** Stores the last ages; resolves when everything is written. */
  close(): Promise<void> {
    if (this.#latest !== undefined) this.#write(this.#latest);
    return this.#file.close();
  }

  #write(state: LastKnownState): void {
    this.#saved = { state, at: this.#clock.now() };
    this.#file.write(() => encode(state, this.#clock));
  }
}

/** True if only ages differ. An unchanged value is the identical object. */
const isSame = (one: LastKnownState | undefined, other: LastKnownState): boolean =>
  one !== undefined &&
  one.rules === other.rules &&
  one.ingress === other.ingress &&
  one.nodeServices?.services === other.nodeServices?.services &&
  one.services.size === other.services.size &&
  [...other.services].every(([name, instances]) => one.services.get(name) === instances);

export function encode(
  { rules, ingress, services, confirmedAt, nodeServices }: LastKnownState,
  { now, instant }: StateClock = CLOCK,
): object {
  const age = (at: number) => Math.max(0, now() - at);
  const ages = {
    at: instant(),
    rules: confirmedAt.rules === undefined ? undefined : age(confirmedAt.rules),
    ingress: confirmedAt.ingress === undefined ? undefined : age(confirmedAt.ingress),
    services: sorted(confirmedAt.services).map(([name, at]) => [name, age(at)]),
  };
  const known = nodeServices && encodeNodeServices(nodeServices, instant().boot);
  return {
    rules: sorted(rules),
    ...(ingress && { ingress: sorted(ingress) }),
    services: sorted(services),
    ages,
    nodeServices: known,
  };
}

const encodeNodeServices = ({ node, services }: NodeServices, boot: string | undefined) =>
  boot === undefined
    ? undefined
    : { node, boot, services: services.map((one) => ({ ...one, address: formatPrefix(one.address) })) };

function decodeNodeServices(
  content: z.infer<typeof KnownNodeServices> | undefined,
  boot: string | undefined,
): NodeServices | undefined {
  if (content === undefined || content.boot !== boot) return undefined;
  const services = content.services.flatMap((one) => {
    const address = parseAddress(one.address);
    return address === undefined ? [] : [{ ...one, address }];
  });
  return { node: content.node, services };
}

/** Throws for content of another form. */
export function decode(content: unknown, { now, instant }: StateClock = CLOCK): LastKnownState {
  const { rules, ingress, services, ages, nodeServices } = Content.parse(content);
  const known = decodeNodeServices(nodeServices, instant().boot);
  const since = ages === undefined ? 0 : elapsed(ages.at, instant());
  const time = (age: number) => now() - since - Math.max(0, age);
  return {
    rules: new Map(rules),
    ...(ingress && { ingress: new Map(ingress) }),
    services: new Map(services),
    confirmedAt: {
      rules: ages?.rules === undefined ? undefined : time(ages.rules),
      ...(ages?.ingress !== undefined && { ingress: time(ages.ingress) }),
      services: new Map(ages?.services.map(([name, age]) => [name, time(age)])),
    },
    ...(known && { nodeServices: known }),
  };
}

const sorted = <T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] =>
  [...map].sort(([one], [other]) => (one < other ? -1 : 1));
