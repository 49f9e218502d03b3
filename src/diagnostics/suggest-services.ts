/**
 * Finds the services of destinations, in the notation of rules.
 *
 * A tag that other rules use already is preferred: `production.postgresql` is what people mean, `v1.4.2.postgresql` is
 * not. If no tag is in use, and all instances would be included, the service is named without a tag.
 */

import type { Instance } from '../inventory/service.ts';
import { formatAddress, parseAddress } from '../net/address.ts';
import type { Catalog } from '../policy/compile.ts';
import { formatRule, parseRule, type ServiceRule } from '../policy/rule.ts';
import type { Destination } from './destination.ts';

export interface CountedService {
  readonly rule: ServiceRule;
  /** How many of the destinations are its instances. */
  readonly count: number;
}

/** An instance with its service. */
interface Endpoint {
  readonly service: string;
  readonly instance: Instance;
}

export interface ServiceChoice {
  readonly rules: readonly CountedService[];
  /** Destinations without a service. */
  readonly rest: readonly Destination[];
}

export class ServiceChooser {
  readonly #catalog: Catalog;
  readonly #tagsInUse: ReadonlySet<string>;
  readonly #endpoints: ReadonlyMap<string, readonly Endpoint[]>;

  constructor(catalog: Catalog, tagsInUse: ReadonlySet<string>) {
    this.#catalog = catalog;
    this.#tagsInUse = tagsInUse;
    this.#endpoints = endpointsOf(catalog);
  }

  choose(destinations: readonly Destination[]): ServiceChoice {
    const groups = new Map<
      string,
      { service: string; protocol: 'tcp' | 'udp'; seen: Map<string, Endpoint> }
    >();
    const rest: Destination[] = [];
    for (const destination of destinations) {
      const { protocol } = destination;
      const endpoint = this.#at(destination).find(isExpressible);
      if (endpoint === undefined || protocol === 'icmp') {
        rest.push(destination);
        continue;
      }
      const { service } = endpoint;
      const id = `${service}:${protocol}`;
      const group = groups.get(id) ?? { service, protocol, seen: new Map() };
      groups.set(id, group);
      group.seen.set(endpointKey(endpoint.instance), endpoint);
    }
    const rules = [...groups.values()].flatMap(({ service, protocol, seen }) =>
      this.#name(
        service,
        protocol,
        [...seen.values()].map(({ instance }) => instance),
      ),
    );
    return { rules, rest };
  }

  #at({ host, protocol, port }: Destination): readonly Endpoint[] {
    if (protocol === 'icmp') return [];
    return this.#endpoints.get(`${formatAddress(host.family, host.address)} ${port}`) ?? [];
  }

  /** Rules that include all instances in `seen`. */
  #name(name: string, protocol: 'tcp' | 'udp', seen: readonly Instance[]): readonly CountedService[] {
    const all = this.#catalog.get(name) ?? [];
    const chosen = this.#chooseTags(name, seen, all);
    const named = (tag: string | undefined) =>
      seen.filter(({ tags }) => tag === undefined || tags.includes(tag)).length;
    return chosen.map((tag) => ({ rule: ruleOf(name, tag, protocol), count: named(tag) }));
  }

  /** `[undefined]`: the service without a tag. */
  #chooseTags(
    name: string,
    seen: readonly Instance[],
    all: readonly Instance[],
  ): readonly (string | undefined)[] {
    const tags = this.#rank(name, seen, all);
    const chosen: string[] = [];
    let left = seen;
    for (const tag of tags) {
      const rest = left.filter((instance) => !instance.tags.includes(tag));
      if (rest.length < left.length) chosen.push(tag);
      left = rest;
    }
    const whole = all.every((instance) => instance.tags.some((tag) => chosen.includes(tag)));
    const meant = chosen.some((tag) => this.#tagsInUse.has(tag));
    return left.length > 0 || (whole && !meant) ? [undefined] : chosen;
  }

  /**
   * The tags of the seen instances: tags in use first, then those with more seen instances, then those with fewer
   * others.
   */
  #rank(name: string, seen: readonly Instance[], all: readonly Instance[]): readonly string[] {
    const count = (instances: readonly Instance[], tag: string) =>
      instances.filter(({ tags }) => tags.includes(tag)).length;
    const used = (tag: string) => Number(this.#tagsInUse.has(tag));
    return [...new Set(seen.flatMap(({ tags }) => tags))]
      .filter((tag) => canExpress(ruleOf(name, tag, 'tcp')))
      .map((tag) => ({ tag, seen: count(seen, tag), all: count(all, tag) }))
      .sort(
        (a, b) => used(b.tag) - used(a.tag) || b.seen - a.seen || a.all - b.all || (a.tag < b.tag ? -1 : 1),
      )
      .map(({ tag }) => tag);
  }
}

const isExpressible = ({ service }: Endpoint): boolean => canExpress(ruleOf(service, undefined, 'tcp'));

/** True if the grammar can express it: names in Consul may contain characters that rules do not allow. */
const canExpress = (rule: ServiceRule): boolean => {
  const text = formatRule(rule);
  const parsed = parseRule(text);
  return parsed !== undefined && 'rule' in parsed && JSON.stringify(parsed.rule) === JSON.stringify(rule);
};

/** The fields are in the order of the parser's result. */
const ruleOf = (name: string, tag: string | undefined, protocol: 'tcp' | 'udp'): ServiceRule => {
  const at = name.indexOf('@');
  const service = at < 0 ? name : name.slice(0, at);
  const datacenter = at < 0 ? undefined : name.slice(at + 1);
  return { kind: 'service', service, tag, datacenter, protocol };
};

const endpointsOf = (catalog: Catalog): ReadonlyMap<string, readonly Endpoint[]> => {
  const endpoints = new Map<string, Endpoint[]>();
  for (const [service, instances] of [...catalog].sort(([a], [b]) => (a < b ? -1 : 1)))
    for (const instance of instances) {
      const key = endpointKey(instance);
      const known = endpoints.get(key);
      if (known === undefined) endpoints.set(key, [{ service, instance }]);
      else known.push({ service, instance });
    }
  return endpoints;
};

/** Address and port in canonical form; a text that is not an address becomes a key that nothing matches. */
const endpointKey = ({ address, port }: Instance): string => {
  const host = parseAddress(address);
  return host === undefined ? `? ${address}` : `${formatAddress(host.family, host.address)} ${port}`;
};
