/**
 * Serves the names of all namespaces that have rules by name. The resolvers of the host and their cache are shared;
 * everything else belongs to one namespace.
 */
import { availableParallelism } from 'node:os';
import type { NamespaceRef } from '../dataplane/dataplane.ts';
import type { NamePolicy } from '../features/names/decision.ts';
import { type Endpoint, formatEndpoint } from '../net/endpoint.ts';
import { AnswerCache } from './answer-cache.ts';
import { CachingResolver, type ResolverCounts } from './caching-resolver.ts';
import { DockerResolver } from './docker-resolver.ts';
import { FairSlots } from './fair-slots.ts';
import { FastClock } from './fast-clock.ts';
import { DEFAULT_NAME_LIMITS, type NameLimits } from './limits.ts';
import { type AdoptedNames, NamespaceNames } from './namespace-names.ts';
import { openSockets, type WantedSockets } from './open-sockets.ts';
import type { ProxyCgroup } from './proxy-cgroup.ts';
import { NO_RESOLVER } from './resolver.ts';
import { Turns } from './turns.ts';
import { UpstreamResolver } from './upstream.ts';

export interface ProxySettings {
  /** The resolvers of the host, or those that are to be asked instead; read each second. */
  readonly upstream: () => readonly Endpoint[];
  /** Consul's DNS server; none: its names are not resolved. */
  readonly consul: () => Endpoint | undefined;
  /** Undefined: Docker's resolver cannot be guarded, so it is not asked. */
  readonly cgroup: Pick<ProxyCgroup, 'processes' | 'release'> | undefined;
  readonly now: () => number;
  /** An error of the program, of one question; at most one a minute is passed on. */
  readonly onDefect: (error: unknown) => void;
  readonly limits?: Partial<NameLimits>;
  readonly open?: typeof openSockets;
}

export interface WantedNames extends Pick<WantedSockets, 'port' | 'dockerPort'> {
  readonly namespace: NamespaceRef;
  readonly policy: NamePolicy;
  readonly adopted?: AdoptedNames | undefined;
}

/** Questions at servers at once, of all namespaces. */
const MOST_ASKED = 1_024;
/** Of each namespace, even beyond that: a few others can leave all of these without an answer for seconds. */
const ASSURED = 8;
/** Children that open sockets at once: each takes a processor for 40 ms. One that hangs must not hold up the others. */
const MOST_OPENING = Math.max(2, Math.min(8, availableParallelism()));
const TICK = 1_000;
/** Milliseconds between two defects that are passed on: a workload could cause any number. */
const BETWEEN_DEFECTS = 60_000;

export class NameProxy {
  readonly #settings: ProxySettings;
  readonly #clock: FastClock;
  readonly #upstream: CachingResolver;
  readonly #consul: CachingResolver;
  readonly #opening = new FairSlots(MOST_OPENING);
  readonly #turns = new Turns();
  readonly #namespaces = new Map<string, NamespaceNames>();
  readonly #timer: NodeJS.Timeout;
  #upstreamServers: readonly Endpoint[];
  #consulServers: readonly Endpoint[];
  #nextDefect = 0;
  #isClosed = false;

  constructor(settings: ProxySettings) {
    this.#settings = settings;
    this.#clock = new FastClock(settings.now);
    const slots = new FairSlots(MOST_ASKED, ASSURED);
    const cached = (servers: () => readonly Endpoint[]): CachingResolver =>
      new CachingResolver(new UpstreamResolver({ servers, slots }), new AnswerCache(), this.#clock.now);
    [this.#upstreamServers, this.#consulServers] = serversOf(settings);
    this.#upstream = cached(() => this.#upstreamServers);
    this.#consul = cached(() => this.#consulServers);
    this.#timer = setInterval(() => this.#tick(), TICK).unref();
  }

  /** Of the resolvers of the host, and of Consul. */
  get counts(): { readonly upstream: ResolverCounts; readonly consul: ResolverCounts } {
    return { upstream: this.#upstream.counts, consul: this.#consul.counts };
  }

  /** What is wrong with the resolvers of the host; undefined: they answer, as far as known. */
  get trouble(): string | undefined {
    if (!this.#upstream.isSilent) return undefined;
    const servers = this.#upstreamServers.map(formatEndpoint);
    return servers.length === 0
      ? 'names of rules are not resolved: this host has no resolvers in /etc/resolv.conf; add one, or set --names-upstream'
      : `names of rules are not resolved: the last questions had no answer from ${servers.join(', ')}; ask there from this host, or set --names-upstream`;
  }

  get namespaces(): ReadonlyMap<string, NamespaceNames> {
    return this.#namespaces;
  }

  /**
   * Begins to serve a namespace; what served it under the same key before is closed. It is held until `resume`, unless
   * something was adopted. Throws an error that says why it cannot be served.
   */
  async open(key: string, wanted: WantedNames): Promise<NamespaceNames> {
    const { cgroup, open = openSockets, limits } = this.#settings;
    const { now } = this.#clock;
    const { namespace, policy, adopted, port, dockerPort } = wanted;
    this.close(key);
    const sockets = await this.#opening.run(key, () =>
      open(namespace, { port, dockerPort, cgroup: cgroup?.processes }),
    );
    this.close(key);
    const guarded = cgroup === undefined ? NO_RESOLVER : new DockerResolver(sockets.docker);
    // What Docker answers changes when a container starts, so it is not kept.
    const docker = new CachingResolver(guarded, undefined, now);
    const names = new NamespaceNames({
      ...{
        key,
        policy,
        sockets,
        now,
        adopted,
        isMoved: port !== undefined && port !== sockets.port,
        turns: this.#turns,
        onDefect: (error: unknown) => this.#onDefect(error),
      },
      resolvers: { docker, consul: this.#consul, upstream: this.#upstream },
      limits: { ...DEFAULT_NAME_LIMITS, ...limits },
    });
    if (this.#isClosed) names.close();
    else this.#namespaces.set(key, names);
    return names;
  }

  /** Ends to serve a namespace: its container is gone, or has no rules by name any more. */
  close(key: string): void {
    this.#namespaces.get(key)?.close();
    this.#namespaces.delete(key);
  }

  /** Ends with the program. */
  closeAll(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const key of [...this.#namespaces.keys()]) this.close(key);
    for (const resolver of [this.#upstream, this.#consul]) resolver.close();
    this.#settings.cgroup?.release();
  }

  #onDefect(error: unknown): void {
    if (this.#clock.now() < this.#nextDefect) return;
    this.#nextDefect = this.#clock.now() + BETWEEN_DEFECTS;
    this.#settings.onDefect(error);
  }

  #tick(): void {
    this.#clock.follow();
    [this.#upstreamServers, this.#consulServers] = serversOf(this.#settings);
    for (const names of this.#namespaces.values()) names.tick();
  }
}

const serversOf = ({ upstream, consul }: ProxySettings): [readonly Endpoint[], readonly Endpoint[]] => {
  const one = consul();
  return [upstream(), one === undefined ? [] : [one]];
};
