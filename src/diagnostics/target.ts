/**
 * Parses the target of `explain`: `10.0.0.5 tcp/5432`, `10.0.0.5`, `production.postgresql`, `api.example.com tcp/443`.
 */

import { UsageError, UserError } from '../common/errors.ts';
import { type Instance, serviceName } from '../inventory/service.ts';
import { type Prefix, parseAddress } from '../net/address.ts';
import { commonMistake } from '../policy/common-mistakes.ts';
import type { Catalog } from '../policy/compile.ts';
import type { ServiceRule } from '../policy/rule.ts';
import { parseTraffic } from '../policy/traffic.ts';
import type { Destination } from './destination.ts';
import { type NameTarget, parseNameTarget } from './name-target.ts';
import { parseService } from './service-names.ts';

export type ExplainTarget =
  | { readonly kind: 'destinations'; readonly destinations: readonly Destination[] }
  /** An address alone. */
  | { readonly kind: 'host'; readonly host: Prefix }
  | { readonly kind: 'service'; readonly rule: ServiceRule }
  | NameTarget;

/** The types of the echo request, the meaning of `icmp` alone here. */
const ECHO = { 4: 8, 6: 128 } as const;

/** Throws a `UsageError` for anything else. */
export function parseTarget(word: string, traffic: string | undefined): ExplainTarget {
  const { host, rest } = splitPort(word);
  if (host !== undefined) {
    const what = traffic ?? rest;
    return what === undefined
      ? { kind: 'host', host }
      : { kind: 'destinations', destinations: [toHost(host, what)] };
  }
  const named = parseNameTarget(word, traffic);
  if (named !== undefined) return named;
  const mistake = commonMistake(word);
  if (mistake !== undefined) throw new UsageError(mistake);
  const rule = parseService(word);
  if (rule === undefined)
    throw new UsageError(
      `expected an address (10.0.0.5), a service (production.postgresql) or a name (api.example.com), got "${word}"`,
    );
  if (traffic === undefined) return { kind: 'service', rule };
  if (traffic === 'tcp' || traffic === 'udp')
    return { kind: 'service', rule: { ...rule, protocol: traffic } };
  throw new UsageError(
    `the port of a service comes from Consul; give tcp or udp after ${word}, or its whole name if it is a name of DNS`,
  );
}

/** The instances with an address. Throws a `UserError` if there is none. */
export function instancesOf(
  rule: ServiceRule,
  catalog: Catalog,
): readonly (readonly [Instance, Destination])[] {
  const name = serviceName(rule);
  const instances = catalog.get(name);
  if (instances === undefined) throw new UserError(`service ${name} not checked: Consul unavailable`);
  const chosen = instances.filter(({ tags }) => rule.tag === undefined || tags.includes(rule.tag));
  const found = chosen.flatMap((instance) => {
    const host = parseAddress(instance.address);
    const { protocol } = rule;
    return host === undefined ? [] : [[instance, { host, protocol, port: instance.port }] as const];
  });
  if (found.length > 0) return found;
  const tagged = rule.tag === undefined ? '' : ` with the tag "${rule.tag}"`;
  const hint =
    instances.length > 0
      ? `; ${instances.length} without it`
      : '; if it is a name of DNS, give its port as well';
  throw new UserError(`Consul has no instance of ${name}${tagged}${hint}`);
}

/** `10.0.0.5`, and for convenience `10.0.0.5:443`, `[::1]:443`, and `10.0.0.5:tcp/443` as rules have it. */
function splitPort(word: string): { readonly host: Prefix | undefined; readonly rest?: string } {
  const host = parseAddress(word.replace(/^\[(.*)\]$/, '$1'));
  if (host !== undefined) return { host };
  const match = /^\[?([^\]]+?)\]?:(?:(tcp|udp|icmp)\/)?(\d{1,5})$/i.exec(word);
  return { host: parseAddress(match?.[1] ?? ''), rest: `${match?.[2] ?? 'tcp'}/${match?.[3] ?? ''}` };
}

function toHost(host: Prefix, text: string): Destination {
  const traffic = parseTraffic(/^\d+$/.test(text) ? `tcp/${text}` : text, host.family);
  if ('reason' in traffic) throw new UsageError(traffic.reason);
  const { protocol, ranges } = traffic;
  const [range] = ranges;
  const alone = !text.includes('/') && !/^\d+$/.test(text);
  if (alone && protocol === 'icmp') return { host, protocol, port: ECHO[host.family] };
  if (range === undefined || range.first !== range.last || ranges.length > 1)
    throw new UsageError(`expected one port, as in ${protocol}/443, got "${text}"`);
  return { host, protocol, port: range.first };
}
