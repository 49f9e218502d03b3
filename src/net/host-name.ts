/**
 * Recognises host names where an address or a service is expected, because rules cannot name hosts.
 *
 * `production.postgresql` is a service with a tag, and tags may hold dots (`v1.2.postgresql`). So a text is
 * certainly a host name only with more than one dot or a port, and an end such as `.com`.
 */
import { quote } from '../common/text.ts';

/** Endings of public DNS names that names of services do not have. */
const SUFFIX = /(?:^|\.)(?:com|net|org|edu|gov|mil|int|arpa|io|(?:co|com|net|org|gov|ac|edu)\.[a-z]{2})$/i;
/** Endings that names of services may also have. */
const PERHAPS = /(?:^|\.)(?:[a-z]{2}|app|dev|cloud|info|biz|ai|internal|intern|local|lan|localdomain|corp)$/i;
const LABELS = /^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_-]{0,61}[\p{L}\p{N}_])?\.)+\p{L}[\p{L}\p{N}-]{0,61}$/u;
const LONGEST = 253;

/** `api.stripe.com` and what follows it: `:tcp/443`, `:443`, `/path`. */
interface Parts {
  readonly name: string;
  readonly rest: string;
  readonly isAbsolute: boolean;
}

/** The reason why the text is a host name; undefined if it may be a service. */
export const hostNameFault = (text: string): string | undefined => {
  const parts = split(text);
  if (parts === undefined) return undefined;
  const { name, rest, isAbsolute } = parts;
  const fault = serviceFault(text);
  if (fault !== undefined) return fault;
  const isLong = name.split('.').length > 2 || /^:(?:\w+\/)?\d|^\//.test(rest) || isAbsolute;
  if (!isLong || !(SUFFIX.test(name) || isAbsolute || isInConsul(name))) return undefined;
  return `expected an address or a service, got the host name ${quote(name)}; ${insteadOf(rest)}`;
};

/** The reason why the text is the name of a service in Consul's DNS; undefined if it is none. */
export const serviceFault = (text: string): string | undefined => {
  const parts = split(text);
  const service = parts && serviceBehind(parts.name);
  if (parts === undefined || service === undefined) return undefined;
  const protocol = /^:udp\b/i.test(parts.rest) ? ':udp' : '';
  return `expected a service name, got its DNS name ${quote(parts.name)}; write ${service}${protocol}`;
};

/** True if a service with a tag may be meant as a host name. */
export const mayBeHostName = (text: string): boolean =>
  text.length <= LONGEST && LABELS.test(text) && (SUFFIX.test(text) || PERHAPS.test(text));

/** The same, only for endings that names of services do not have: `example.com`. */
export const endsAsHostName = (text: string): boolean =>
  text.length <= LONGEST && LABELS.test(text) && SUFFIX.test(text);

/** What to write instead of a name; `traffic` is the part after it, such as `:tcp/443` or `:443`. */
export const insteadOf = (traffic: string): string => {
  const [, protocol = 'tcp', ports = '443'] = /^:(?:(tcp|udp)\/)?(\d[\d,-]{0,40})$/i.exec(traffic) ?? [];
  return `write its addresses, as in 192.0.2.7:${protocol}/${ports}, or its service in Consul as tag.service`;
};

const split = (text: string): Parts | undefined => {
  const [, name = '', dot = '', rest = ''] = /^([^:/]{1,253}?)(\.?)([:/].{0,100})?$/.exec(text) ?? [];
  return LABELS.test(name) ? { name, rest, isAbsolute: dot !== '' } : undefined;
};

/** `web`, `tag.web`, `web@dc2`, of `[tag.]web.service[.dc2[.dc]].consul` and `_web._tag.service.consul`. */
const serviceBehind = (name: string): string | undefined => {
  const [, head, datacenter] = /^(.+)\.service(?:\.([a-z\d_-]+?)(?:\.dc)?)?\.consul$/i.exec(name) ?? [];
  if (head === undefined) return undefined;
  const place = datacenter === undefined ? '' : `@${datacenter}`;
  const [, service, tag = ''] = /^_([^.]+)\._([^.]+)$/.exec(head) ?? [];
  if (service === undefined) return `${head}${place}`;
  if (/^tcp$/i.test(tag)) return `${service}${place}`;
  return /^udp$/i.test(tag) ? `${service}${place}:udp` : `${tag}.${service}${place}`;
};

/** Names in Consul's DNS that are not services of the catalog. */
const isInConsul = (name: string): boolean =>
  /\.(?:node|query|addr|connect|virtual|ingress)(?:\.[^.]+){0,2}\.consul$/i.test(name);
