/**
 * Stores what is granted by name, with the secret and the ports of each namespace, so that the next run serves the same
 * namespaces without a load, and takes nothing from workloads.
 *
 * All times are counted from the boot, as the kernel counts: a change of the host's clock makes no grant longer or
 * shorter. After another boot, and from a file that cannot be used, nothing is restored: what containers have that
 * still run is read back from their kernels then, without names.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import { formatName, nameKey, nameOfKey, parseName } from '../../dns/name.ts';
import { elementKey, type HeldGrant } from '../../features/names/grant.ts';
import { LONGEST_GRANT } from '../../features/names/lifetime.ts';
import type { NamespaceId } from '../../inventory/namespace.ts';
import { formatPrefix, parseAddress } from '../../net/address.ts';
import { SECRET_BYTES } from '../../policy/name-seal.ts';
import { STATE_FILES } from './file-names.ts';
import { StateFolderFile, type StateFolderFileOptions } from './state-folder-file.ts';

/** What one namespace leaves to the next run. */
export interface PersistedNames {
  readonly port: number;
  readonly dockerPort: number;
  /** Of the loaded text. */
  readonly secret: Uint8Array;
  /** Port class → its number in the loaded text. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly grants: readonly HeldGrant[];
}

/** Of all namespaces. */
export type NamesRecord = ReadonlyMap<NamespaceId, PersistedNames>;

/** `now`: the clock of the grants; `uptime`: milliseconds since the boot, at the same moment. */
export interface NamesClock {
  readonly now: number;
  readonly uptime: number;
  /** Undefined if unknown: then nothing is stored that counts. */
  readonly boot: string | undefined;
}

/** Milliseconds between two writes. What a crash loses is read back from the kernel. */
const PAUSE = 2_000;

/** Grants in the file. A namespace with more than fit is left out whole: its rules are loaded anew. */
const MOST_GRANTS = 200_000;

const Port = z.number().int().min(1).max(65_535);
const Seconds = z.number().int().min(0);

/** An address with its end in the kernel, and the names that need it with theirs. */
const Granted = z.object({
  ...{ class: z.string(), address: z.string(), until: Seconds, atMost: Seconds },
  names: z.array(z.tuple([z.string(), Seconds])),
});

const Namespace = z.object({
  ...{ port: Port, dockerPort: Port },
  secret: z.string().regex(new RegExp(`^[0-9a-f]{${2 * SECRET_BYTES}}$`)),
  numbers: z.array(z.tuple([z.string(), z.number().int().min(0).max(65_535)])),
  grants: z.array(Granted),
});

const Content = z.object({ boot: z.string(), namespaces: z.array(z.tuple([z.string(), Namespace])) });

export class NamesFile {
  readonly #file: StateFolderFile;
  readonly #clock: () => NamesClock;

  constructor(
    directory: string,
    log: Logger,
    clock: () => NamesClock,
    options: Partial<StateFolderFileOptions> = {},
  ) {
    const what = 'record of what is granted by name';
    this.#file = new StateFolderFile(join(directory, STATE_FILES.names), log, {
      ...{ what, pause: PAUSE },
      ...options,
    });
    this.#clock = clock;
  }

  /** Empty after another boot, and if there is nothing usable. Never throws. */
  async load(): Promise<NamesRecord> {
    const clock = this.#clock();
    const found = await this.#file.read((content) => fromContent(Content.parse(content), clock));
    return found ?? new Map();
  }

  /** `state` is called when the file is written. */
  save(state: () => NamesRecord): void {
    this.#file.write(() => toContent(state(), this.#clock()));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

const toContent = (state: NamesRecord, { now, uptime, boot = '' }: NamesClock): z.infer<typeof Content> => {
  const later = uptime - now;
  const namespaces: [NamespaceId, z.infer<typeof Namespace>][] = [];
  let room = MOST_GRANTS;
  for (const [id, { port, dockerPort, secret, numbers, grants }] of [...state].sort(byGrants)) {
    room -= grants.length;
    if (room < 0) break;
    namespaces.push([
      id,
      {
        ...{ port, dockerPort, secret: Buffer.from(secret).toString('hex'), numbers: [...numbers] },
        grants: [...Map.groupBy(grants, elementKey).values()].flatMap((held) => grantedFrom(held, later)),
      },
    ]);
  }
  return { boot, namespaces };
};

const byGrants = ([, one]: [string, PersistedNames], [, other]: [string, PersistedNames]): number =>
  one.grants.length - other.grants.length;

/** Rounded so that nothing counts as granted that the kernel may have dropped, and the other way round. */
const grantedFrom = (held: readonly HeldGrant[], later: number): readonly z.infer<typeof Granted>[] => {
  const [first] = held;
  if (first === undefined) return [];
  const early = (time: number) => Math.max(0, Math.floor((time + later) / 1000));
  return [
    {
      ...{ class: first.portClass, address: formatPrefix(first.address) },
      // 0 says that the kernel may not have it.
      until: first.until === 0 ? 0 : early(first.until),
      atMost: Math.ceil((first.atMost + later) / 1000),
      names: held.map(({ name, needed }) => [formatName(nameOfKey(name)), early(needed)]),
    },
  ];
};

const fromContent = ({ boot, namespaces }: z.infer<typeof Content>, clock: NamesClock): NamesRecord => {
  if (boot === '' || boot !== clock.boot) return new Map();
  return new Map(
    namespaces.map(([id, { port, dockerPort, secret, numbers, grants }]) => [
      id,
      {
        ...{ port, dockerPort, secret: Buffer.from(secret, 'hex'), numbers: new Map(numbers) },
        grants: grants.flatMap((one) => heldFrom(one, clock)),
      },
    ]),
  );
};

/** Throws an `Error` for what is no address or no name: the file is not ours then. */
const heldFrom = (
  { class: portClass, address: text, until, atMost, names }: z.infer<typeof Granted>,
  { now, uptime }: NamesClock,
): readonly HeldGrant[] => {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`it has "${text}" for an address`);
  const most = now + LONGEST_GRANT * 1000;
  const at = (seconds: number) => Math.min(most, seconds * 1000 - uptime + now);
  return names.map(([name, needed]) => ({
    ...{ portClass, address, name: keyFrom(name), needed: at(needed) },
    ...{ until: until === 0 ? 0 : at(until), atMost: at(atMost) },
  }));
};

const keyFrom = (text: string): string => {
  const parsed = parseName(text);
  if ('reason' in parsed) throw new Error(`it has "${text}" for a name: ${parsed.reason}`);
  return nameKey(parsed.name);
};
