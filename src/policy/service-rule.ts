/**
 * Rules that name a service of Consul's catalog: `[tag.]service[@datacenter][:tcp|udp]`.
 *
 * A tag is nearly free text, as it is in Consul; names of services and datacenters are not, as
 * they become part of a URL and of messages.
 */
import { printable, quote } from '../common/text.ts';

/** Traffic to every registered instance of a service, at the instance's own address and port. */
export interface ServiceRule {
  readonly kind: 'service';
  readonly service: string;
  readonly tag: string | undefined;
  readonly datacenter: string | undefined;
  readonly protocol: 'tcp' | 'udp';
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

/** The text holds no spaces and does not look like an address. */
export const parseServiceRule = (text: string): ParsedServiceRule => {
  const { name, protocol } = nameAndProtocol(text);
  if (name === '') return { reason: `expected an address or a service before ${quote(text)}` };
  const fault = faultOfProtocol(protocol, name);
  if (fault !== undefined) return { reason: fault };
  const at = name.indexOf('@');
  const [path, datacenter] = at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 1)];
  const dot = path.lastIndexOf('.');
  const [tag, service] = dot < 0 ? [undefined, path] : [path.slice(0, dot), path.slice(dot + 1)];
  const reason = faultOf(service, tag, datacenter);
  if (reason !== undefined) return { reason };
  const rule = {
    kind: 'service',
    service,
    tag,
    datacenter,
    protocol: protocol?.toLowerCase() === 'udp' ? 'udp' : 'tcp',
  } as const;
  return { rule, warnings: [] };
};

export const formatServiceRule = ({ tag, service, datacenter, protocol }: ServiceRule): string => {
  const name = tag === undefined ? service : `${tag}.${service}`;
  const place = datacenter === undefined ? '' : `@${datacenter}`;
  return `${name}${place}${protocol === 'tcp' ? '' : `:${protocol}`}`;
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
  return name.includes('.') ? `write ${service}, or the address if it is a host name` : `write ${service}`;
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
