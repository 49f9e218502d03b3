/**
 * The mistakes in the name of a rule and in the shape of the whole, each with one sentence that says what to write.
 */
import { printable, quote } from '../common/text.ts';
import { LONGEST_LABEL } from '../dns/name.ts';
import { parseAddress } from '../net/address.ts';
import type { NameParts } from './name-parts.ts';

/** Characters of a name with its dots; 255 bytes in a message. */
const LONGEST = 253;
const LABEL = /^[a-z\d_](?:[a-z\d_-]*[a-z\d_])?$/i;

/** The reason why the parts are no rule; undefined if name and shape are good. */
export const nameFault = (parts: NameParts): string | undefined =>
  addressFault(parts) ?? scriptFault(parts) ?? starFault(parts) ?? labelFault(parts) ?? trafficFault(parts);

const addressFault = ({ name, traffic }: NameParts): string | undefined => {
  if (parseAddress(name) !== undefined)
    return `expected a name before "@", got the address ${quote(name)}; write ${name}:${printable(traffic ?? 'tcp/443')}`;
  return /(?:^|\.)\d+\.?$/.test(name)
    ? `expected a name, whose last label is no number, got ${quote(name)}`
    : undefined;
};

const scriptFault = ({ name }: NameParts): string | undefined => {
  if (isAscii(name)) return undefined;
  const ascii = asciiName(name);
  const remedy = ascii === undefined ? 'its letters are no valid name' : `write ${ascii}`;
  return `expected a name in ASCII, got ${quote(name)}; ${remedy}`;
};

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** The form with `xn--`, as a browser makes it; undefined if there is none. The stars are no part of the name. */
export const asciiName = (name: string): string | undefined => {
  const [, star = '', rest = ''] = /^(\*{1,2}\.)?(.*)$/s.exec(name) ?? [];
  const host =
    rest.length > LONGEST || rest.includes('*') ? undefined : URL.parse(`http://${rest}/`)?.hostname;
  return host === undefined || host === '' ? undefined : star + host;
};

const starFault = ({ name }: NameParts): string | undefined => {
  const rest = name.replace(/^\*{1,2}\./, '');
  if (/^\*+$/.test(name))
    return `expected a name after the star, as in *.example.com, got ${quote(name)}; for any address write 0.0.0.0/0:tcp/443`;
  if (rest.includes('*'))
    return `expected a star only as the whole first label, as in *.example.com or **.example.com, got ${quote(name)}`;
  return rest !== name && rest.replace(/\.$/, '').split('.').length < 2
    ? `expected at least two labels after the star, as in *.example.com, got ${quote(name)}`
    : undefined;
};

const labelFault = ({ name, traffic = 'tcp/443' }: NameParts): string | undefined => {
  const plain = name.replace(/^\*{1,2}\./, '').replace(/\.$/, '');
  if (plain.length > LONGEST)
    return `expected a name of at most ${LONGEST} characters, got ${plain.length}: ${quote(name)}`;
  const bad = plain.split('.').find((label) => label.length > LONGEST_LABEL || !LABEL.test(label));
  if (bad === undefined) return undefined;
  if (bad === '' && /^\.[^.]/.test(name))
    return `expected a name, got ${quote(name)}; for the names below it write **${printable(name)}:${printable(traffic)}`;
  if (bad === '') return `expected a name without empty labels, got ${quote(name)}`;
  return bad.length > LONGEST_LABEL
    ? `expected labels of at most ${LONGEST_LABEL} characters in a name, got ${quote(bad)}`
    : `expected labels of letters, digits, "-" and "_" in a name, with no "-" at an end, got ${quote(bad)}`;
};

const trafficFault = ({ text, name, place, traffic }: NameParts): string | undefined => {
  const names = `${printable(name)}${place === undefined ? '' : `@${printable(place)}`}`;
  const [, protocol = '', ports] = /^([a-z\d]*)(?:\/(.*))?$/is.exec(traffic ?? '') ?? [];
  if (/^icmp/i.test(protocol))
    return `expected tcp or udp after a name, got ${quote(`:${traffic}`)}; rules by name are about ports: name the address for icmp`;
  if (/^\d/.test(traffic ?? ''))
    return `expected tcp or udp before the ports, got ${quote(`:${traffic}`)}; write ${names}:tcp/${printable(traffic ?? '')}`;
  if (/(?:^|,)0(?:,|$)/.test(ports ?? ''))
    return `expected a port 1-65535, got "0"; for all ports write ${protocol}/1-65535`;
  if (ports !== undefined && ports !== '') return undefined;
  const written = /^udp$/i.test(protocol) ? 'udp/53' : 'tcp/443';
  return `expected a protocol with ports after a name, got ${quote(text)}; write them as in ${names}:${written}`;
};
