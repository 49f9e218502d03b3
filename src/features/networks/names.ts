/**
 * What names in networks.json stand for. Names compare exactly, but for `-` and `_`, which are left out.
 */
import { nearest } from '../../common/nearest.ts';
import { quote } from '../../common/text.ts';
import type { Network } from '../../inventory/network.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../../net/address.ts';
import type { AddressEntry, NetworkEntry, TargetNames } from './model.ts';
import { listed } from './problems.ts';

/** The form in which names are compared. */
export const bare = (name: string): string => name.replace(/[-_]/g, '');

/** Addresses and prefixes that a name stands for, or why it stands for none. */
export type Meaning =
  | {
      readonly prefixes: readonly Prefix[];
      /** What else the name could stand for. */
      readonly remark?: string | undefined;
    }
  | { readonly reason: string };

/** Each compares a name with all others. */
const MOST_HINTS = 50;

export class Names {
  readonly #containers = new Map<string, AddressEntry[]>();
  readonly #services = new Map<string, AddressEntry[]>();
  #hints = 0;
  /** Of the file, and those that Docker has besides. */
  readonly #networks = new Map<string, { readonly name: string; readonly prefixes: readonly Prefix[] }[]>();

  constructor(
    addresses: readonly AddressEntry[],
    networks: readonly NetworkEntry[],
    ofDocker: readonly Network[],
  ) {
    for (const entry of addresses) {
      const { container, selector, service } = entry;
      const own = [container, selector].flatMap((name) => (name === undefined ? [] : [bare(name)]));
      for (const name of new Set(own)) push(this.#containers, name, entry);
      if (service !== undefined) push(this.#services, bare(service), entry);
    }
    for (const { name, key, subnets } of networks) {
      const one = { name, prefixes: subnets.map(({ prefix }) => prefix) };
      for (const each of new Set([bare(name), bare(key)])) push(this.#networks, each, one);
    }
    const known = new Set(networks.map(({ name }) => bare(name)));
    for (const { name, subnets } of ofDocker) {
      const prefixes = subnets.map(({ prefix }) => prefix);
      if (!known.has(bare(name)) && prefixes.length > 0) push(this.#networks, bare(name), { name, prefixes });
    }
  }

  /** `from` and `to`: an address, a prefix, an entry of ips, or a network. */
  meaningOf(text: string): Meaning {
    const parsed = parsePrefix(text);
    if (!('reason' in parsed)) {
      const { prefix, hostBits } = parsed;
      return hostBits
        ? { reason: `expected a prefix, got ${quote(text)}; write ${formatPrefix(prefix)}` }
        : { prefixes: [prefix] };
    }
    if (text.includes('/') || /^[\d.]+$/.test(text) || text.includes(':')) return parsed;
    return this.#named(text);
  }

  /** A policy's target. More names than one must mean the same. */
  targetOf({ to, selector, container, service }: TargetNames): Meaning {
    if (to !== undefined) return this.meaningOf(to);
    const given = [
      ...(selector === undefined ? [] : [['selector', selector] as const]),
      ...(container === undefined ? [] : [['container_name', container] as const]),
    ];
    const [first, second] = given.map(([field, name]) => ({
      ...{ field, name, entries: this.#containers.get(bare(name)) ?? [] },
    }));
    if (first === undefined) return this.#serviceOf(service ?? '');
    const missing = [first, second].find((one) => one !== undefined && one.entries.length === 0);
    if (missing !== undefined) return { reason: this.#unknown(missing.field, missing.name) };
    const common = first.entries.filter((one) => second === undefined || second.entries.includes(one));
    if (common.length === 0)
      return {
        reason: `selector ${quote(selector ?? '')} and container_name ${quote(container ?? '')} are different entries of ips; remove one`,
      };
    return { prefixes: common.flatMap(({ addresses }) => addresses) };
  }

  #serviceOf(name: string): Meaning {
    const entries = this.#services.get(bare(name));
    if (entries === undefined) return { reason: this.#unknown('service_name', name) };
    return { prefixes: entries.flatMap(({ addresses }) => addresses) };
  }

  #named(text: string): Meaning {
    const entries = this.#containers.get(bare(text)) ?? this.#services.get(bare(text));
    const networks = this.#networks.get(bare(text)) ?? [];
    if (entries !== undefined) {
      const isNetworkToo = networks.some(({ name }) => name === text);
      const remark = `${quote(text)} is the name of a network too, and stands for the container here; write the subnet to mean the network`;
      const prefixes = entries.flatMap(({ addresses }) => addresses);
      return { prefixes, remark: isNetworkToo ? remark : undefined };
    }
    const exact = networks.filter(({ name }) => name === text);
    const meant = exact.length > 0 ? exact : networks;
    if (meant.length > 1) {
      const names = listed(
        meant.map(({ name }) => name),
        ' and ',
      );
      return { reason: `${quote(text)} stands for the networks ${names}; write the subnet` };
    }
    const [network] = meant;
    return network ?? { reason: this.#unknownEnd(text) };
  }

  #unknownEnd(text: string): string {
    const all = [...this.#containers.keys(), ...this.#services.keys(), ...this.#networks.keys()];
    return `${quote(text)} is neither an entry of ips, a network nor an address${this.#hint(text, all)}`;
  }

  #unknown(field: string, text: string): string {
    const all = [...(field === 'service_name' ? this.#services : this.#containers).keys()];
    return `${field} ${quote(text)} is no entry of ips${this.#hint(text, all)}`;
  }

  /** The closest known name, as the file writes it. */
  #hint(text: string, all: readonly string[]): string {
    const meant = this.#hints++ < MOST_HINTS ? nearest(bare(text), all) : undefined;
    const written = meant === undefined ? undefined : this.#written(meant);
    return written === undefined ? '; add it, or write an address' : `; did you mean ${quote(written)}?`;
  }

  #written(name: string): string | undefined {
    const [entry] = this.#containers.get(name) ?? [];
    const own = [entry?.container, entry?.selector].find((one) => one !== undefined && bare(one) === name);
    return own ?? this.#services.get(name)?.[0]?.service ?? this.#networks.get(name)?.[0]?.name;
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
