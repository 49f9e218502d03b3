/**
 * Recognises notations of other tools. Each has its own message, with the rule to write instead.
 */

import { quote } from '../common/text.ts';
import { formatPrefix, lastAddress, type Prefix, parseAddress, prefixOf, WIDTH } from '../net/address.ts';
import { hostNameFault, insteadOf } from '../net/host-name.ts';

/** The reason why the text (it may have spaces) is not a rule; undefined if it may be one. */
export const commonMistake = (text: string): string | undefined =>
  notARule(text) ?? url(text) ?? wildcard(text) ?? addressRange(text) ?? hostNameFault(text);

/** The same for what is around a rule. */
export const notARule = (text: string): string | undefined => denial(text) ?? quoted(text);

const denial = (text: string): string | undefined => {
  if (/^!|^(?:deny|drop|reject|block|refuse|not)\s/i.test(text))
    return `expected a rule that allows, got ${quote(text)}; rules only allow, and all other traffic is denied: delete the line`;
  const [, allowed] = /^(?:allow|accept|permit)\s+(\S{1,80})$/i.exec(text) ?? [];
  return allowed === undefined ? undefined : `expected the rule alone, got ${quote(text)}; write ${allowed}`;
};

/** A line of a list in YAML or JSON. */
const quoted = (text: string): string | undefined => {
  const [, item, quotes, inner] = /^(-\s+)?(["'`]?)([^\s"'`]{1,80})\2,?$/.exec(text) ?? [];
  return inner === undefined || (item === undefined && quotes === '')
    ? undefined
    : `expected the rule alone, got ${quote(text)}; write ${inner}`;
};

const URL_SHAPE = /^([a-z][a-z\d+.-]{0,30}):\/\/(?:[^/?#]*@)?(\[[^\]]*\]|[^/:?#]*)(?::(\d{1,5}))?/i;
const PORTS: Readonly<Record<string, string>> = { http: '80', ws: '80', ftp: '21', ssh: '22', ldap: '389' };

/** The host and the port of a URL; undefined for anything else. */
export const hostOfUrl = (text: string): { readonly host: string; readonly port: string } | undefined => {
  const [, scheme = '', host, port = PORTS[scheme.toLowerCase()] ?? '443'] = URL_SHAPE.exec(text) ?? [];
  return host === undefined ? undefined : { host, port };
};

const url = (text: string): string | undefined => {
  const parts = hostOfUrl(text);
  if (parts === undefined) return undefined;
  const { host, port } = parts;
  const address = parseAddress(host.replace(/^\[(.*)\]$/, '$1'));
  const remedy = address === undefined ? insteadOf(`:${port}`) : `write ${host}:tcp/${port}`;
  return `expected an address or a service, got the URL ${quote(text)}; ${remedy}`;
};

const wildcard = (text: string): string | undefined =>
  /^\*?\.[^*:/]*\.?[a-z][^.:/]*(?::.*)?$/i.test(text) &&
  (text.startsWith('*') || hostNameFault(text.slice(1)))
    ? `expected an address or a service, got the wildcard ${quote(text)}; write the prefixes behind it, as in 192.0.2.0/24:tcp/443`
    : undefined;

/** The most prefixes that a message lists. */
const MOST_PREFIXES = 8;

/** `10.0.0.1-10.0.0.9`, `10.0.0.1-9`, `2001:db8::1-2001:db8::9`, and what follows. */
const addressRange = (text: string): string | undefined => {
  const [, from, to] = /^([\da-f.:]{3,45})-([\da-f.:]{1,45}?)(?::(?:tcp|udp|icmp).*)?$/i.exec(text) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const first = parseAddress(from);
  const last = parseAddress(/^\d{1,3}$/.test(to) ? from.replace(/\d+$/, to) : to);
  if (first === undefined || last === undefined || first.family !== last.family) return undefined;
  const expected = `expected one address or prefix, got the address range ${quote(`${from}-${to}`)}`;
  if (last.address < first.address) return `${expected}, whose end comes first; write it as prefixes`;
  const parts = prefixesFrom(first, last);
  const names = parts.map(formatPrefix);
  return parts.length > MOST_PREFIXES
    ? `${expected}; write it as prefixes`
    : `${expected}; write it as prefixes, each in a line: ${names.join(', ')}`;
};

/** The fewest prefixes that contain exactly the addresses of a range; at most one more than a message lists. */
const prefixesFrom = (first: Prefix, last: Prefix): readonly Prefix[] => {
  const { family } = first;
  const found: Prefix[] = [];
  for (let next = first.address; next <= last.address && found.length <= MOST_PREFIXES; ) {
    let widest = prefixOf(family, next, WIDTH[family]);
    for (let length = widest.length - 1; length >= 0; length--) {
      const wider = prefixOf(family, next, length);
      if (wider.address !== next || lastAddress(wider) > last.address) break;
      widest = wider;
    }
    found.push(widest);
    next = lastAddress(widest) + 1n;
  }
  return found;
};
