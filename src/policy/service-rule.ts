/**
 * Rules that name a service of Consul's catalog: `[tag.]service[@datacenter][:tcp|udp]` for what a container may reach,
 * `[tag.]service[@datacenter]:protocol[/ports]` for who may reach it.
 *
 * A tag is nearly free text, as it is in Consul; names of services and datacenters are not, as
 * they become part of a URL and of messages.
 */

import type { Direction } from '../common/direction.ts';
import { printable, quote } from '../common/text.ts';
import type { Family } from '../net/address.ts';
import type { Range } from '../net/ranges.ts';
import { formatTraffic, type Protocol, parseTraffic, type Traffic } from './traffic.ts';

/** Traffic to every registered instance of a service, at the instance's own address and port; or from its address. */
export interface ServiceRule {
  readonly kind: 'service';
  readonly service: string;
  readonly tag: string | undefined;
  readonly datacenter: string | undefined;
  readonly protocol: Protocol;
  /** Of calls from the instances: ports (ICMP types) of the container. Undefined: calls to them, at their own ports. */
  readonly ranges?: readonly Range[] | undefined;
  /** Only instances with addresses of this family: the types of ICMP are those of one family. */
  readonly family?: Family | undefined;
}

export type ParsedServiceRule =
  | { readonly rule: ServiceRule; readonly warnings: readonly string[] }
  | { readonly reason: string };

/** Letters, digits, `_`, `-`, `~`, `+`, at least one letter among them. */
const SERVICE = /^(?=.*\p{L})[\p{L}\p{N}_][\p{L}\p{N}_~+-]{0,254}$/u;
/** Consul allows no more than this. */
const DATACENTER = /^[a-z\d_-]{1,255}$/i;
/** Not in a tag: quotes, brackets of markup, separators of lists and paths, and `@`. */
const TAG = /^[^\s\p{C}"'`<>\\/,;@]{1,255}$/u;

const BEFORE_TRAFFIC: Readonly<Record<Direction, string>> = {
  egress: 'an address, a name or a service',
  ingress: 'an address or a service',
};

/** The text holds no spaces and does not look like an address. */
export const parseServiceRule = (text: string, direction: Direction = 'egress'): ParsedServiceRule => {
  const { name, protocol } = nameAndProtocol(text);
  if (name === '') return { reason: `expected ${BEFORE_TRAFFIC[direction]} before ${quote(text)}` };
  const traffic = TRAFFIC[direction](protocol, name);
  if ('reason' in traffic) return traffic;
  const at = name.indexOf('@');
  const [path, datacenter] = at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 1)];
  const dot = path.lastIndexOf('.');
  const [tag, service] = dot < 0 ? [undefined, path] : [path.slice(0, dot), path.slice(dot + 1)];
  const reason = faultOf(service, tag, datacenter);
  if (reason !== undefined) return { reason };
  return { rule: { kind: 'service', service, tag, datacenter, ...traffic }, warnings: [] };
};

export const formatServiceRule = ({ tag, service, datacenter, ...traffic }: ServiceRule): string => {
  const name = tag === undefined ? service : `${tag}.${service}`;
  const place = datacenter === undefined ? '' : `@${datacenter}`;
  return `${name}${place}${formatServiceTraffic(traffic)}`;
};

const formatServiceTraffic = ({ protocol, ranges, family }: ServiceTraffic): string => {
  if (ranges === undefined) return protocol === 'tcp' ? '' : `:${protocol}`;
  const text = formatTraffic({ protocol, ranges });
  return `:${protocol === 'icmp' && family === 6 ? text.replace('icmp', 'icmpv6') : text}`;
};

/**
 * Splits off what follows the last colon, unless it holds a dot: then the colon belongs to a tag, as
 * in `env:prod.postgresql`.
 */
export const nameAndProtocol = (text: string): { name: string; protocol: string | undefined } => {
  const colon = text.lastIndexOf(':');
  const rest = text.slice(colon + 1);
  return colon < 0 || rest.includes('.')
    ? { name: text, protocol: undefined }
    : { name: text.slice(0, colon), protocol: rest };
};

type ServiceTraffic = Pick<ServiceRule, 'protocol' | 'ranges' | 'family'>;
type ParsedTraffic = ServiceTraffic | { readonly reason: string };

const parseCallee = (protocol: string | undefined, name: string): ParsedTraffic => {
  const reason = faultOfProtocol(protocol, name);
  return reason === undefined ? { protocol: /^udp$/i.test(protocol ?? '') ? 'udp' : 'tcp' } : { reason };
};

const parseCaller = (text: string | undefined, name: string): ParsedTraffic => {
  if (text === undefined || text === '')
    return {
      reason: `expected a protocol and the container's own port after a service, got ${quote(name)} alone; write it as in ${printable(name)}:tcp/8080`,
    };
  const [, traffic = '', place] = /^([^@]*)(@.*)?$/.exec(text) ?? [];
  if (place !== undefined)
    return { reason: `expected the datacenter before the protocol, got ${quote(`:${text}`)}` };
  const parsed = parseTraffic(traffic, 6);
  return 'reason' in parsed ? parsed : { ...parsed, family: familyOf(traffic, parsed) };
};

/** Without types, `icmp` is of either family. */
const familyOf = (text: string, traffic: Traffic): Family | undefined => {
  if (/^icmpv6/i.test(text)) return 6;
  return traffic.protocol === 'icmp' && formatTraffic(traffic) !== 'icmp' ? 4 : undefined;
};

const TRAFFIC: Readonly<Record<Direction, (protocol: string | undefined, name: string) => ParsedTraffic>> = {
  egress: parseCallee,
  ingress: parseCaller,
};

const faultOfProtocol = (protocol: string | undefined, name: string): string | undefined => {
  if (protocol === undefined || /^(tcp|udp)$/i.test(protocol)) return undefined;
  if (protocol.includes('@'))
    return `expected the datacenter before the protocol, got ${quote(`:${protocol}`)}`;
  return /\/|^\d/.test(protocol)
    ? `expected tcp or udp after a service, whose port comes from the catalog, got ${quote(`:${protocol}`)}; ${withoutPort(name, protocol)}`
    : `expected tcp or udp after a service, got ${quote(`:${protocol}`)}`;
};

const withoutPort = (name: string, protocol: string): string => {
  const service = `${printable(name)}${/^udp\b/i.test(protocol) ? ':udp' : ''}`;
  return `write ${service}`;
};

const faultOf = (service: string, tag?: string, datacenter?: string): string | undefined => {
  if (!SERVICE.test(service))
    return `expected a service name of letters, digits, "-" and "_", or an address, got ${quote(service)}`;
  if (tag !== undefined && !TAG.test(tag))
    return `expected a tag without quotes, "/", "," or "@" before the last dot, got ${quote(tag)}`;
  if (datacenter !== undefined && !DATACENTER.test(datacenter))
    return `expected a datacenter of letters, digits, "-" and "_" after "@", got ${quote(datacenter)}`;
  return undefined;
};
