/**
 * Recognises notations of other tools for what is meant as a rule by name. Each has its own sentence, with the rule to
 * write instead.
 */
import { printable, quote } from '../common/text.ts';
import { endsAsHostName, serviceFault } from '../net/host-name.ts';
import { hostOfUrl } from './common-mistakes.ts';
import { asciiName } from './name-faults.ts';

/** The reason why the text (it may have spaces) is not a rule by name; undefined if it may be one, or another rule. */
export const nameMistake = (text: string): string | undefined =>
  url(text) ?? list(text) ?? separators(text) ?? path(text) ?? pattern(text);

const url = (text: string): string | undefined => {
  const { host = '', port } = hostOfUrl(text) ?? {};
  if (!/[^\d.]/.test(host) || !/^[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)+\.?$/u.test(host))
    return undefined;
  const name = asciiName(host) ?? host;
  return `expected a name with ports, got the URL ${quote(text)}; write ${printable(name)}:tcp/${port}`;
};

/** At least two labels; the last one has a letter, unlike an address. */
const NAME = String.raw`(?:\*{1,2}\.)?[\w-]{1,63}(?:\.[\w-]{1,63}){0,9}\.(?=[\w-]*[a-z])[\w-]{1,63}`;
const LIST = new RegExp(`^(${NAME})(?::[\\w/-]*)?[,;]\\s*${NAME}`, 'i');
const SEPARATORS = new RegExp(
  `^(?:(tcp|udp)[/:])?(${NAME})\\.?[\\s:/]+(?:(tcp|udp)[\\s:/]+)?(\\d[\\d,-]{0,40})(?:/(tcp|udp))?$`,
  'i',
);

/** `www.example.com,api.example.com:tcp/443` */
const list = (text: string): string | undefined => {
  const [, first] = LIST.exec(text) ?? [];
  return first === undefined
    ? undefined
    : `expected one name in a line, got ${quote(text)}; write one line for each, as in ${printable(first)}:tcp/443`;
};

/** `api.example.com tcp/443`, `api.example.com/tcp/443`, `api.example.com:tcp:443`, `tcp/api.example.com:443`, … */
const separators = (text: string): string | undefined => {
  const [, first, name, second, ports, last] = SEPARATORS.exec(text) ?? [];
  // The right form and one without a protocol are not for here, nor is a service of Consul.
  if (name === undefined || /^[^\s:/]+:(?:(?:tcp|udp)\/)?[\d,-]+$/i.test(text)) return undefined;
  if (serviceFault(name) !== undefined) return undefined;
  const protocol = first ?? second ?? last ?? 'tcp';
  return `expected a name with ports, got ${quote(text)}; write ${printable(name)}:${protocol.toLowerCase()}/${ports}`;
};

/** `api.example.com/v1`, `api.example.com/v1:tcp/443`: a URL without its scheme. */
const path = (text: string): string | undefined => {
  const [, name, traffic] = PATH.exec(text) ?? [];
  if (name === undefined || !endsAsHostName(name) || serviceFault(name) !== undefined) return undefined;
  return `expected a name without a path, got ${quote(text)}; write ${printable(name)}:${traffic?.toLowerCase() ?? 'tcp/443'}`;
};

const PATH = new RegExp(`^(${NAME})/[^\\s:]*(?::((?:tcp|udp)/\\d[\\d,-]{0,40}))?$`, 'i');

/** A regular expression. */
const pattern = (text: string): string | undefined =>
  /\\\.|\.\*[a-z\\]/i.test(text)
    ? `expected a name, got the pattern ${quote(text)}; a star stands for the whole first label, as in *.example.com:tcp/443`
    : undefined;
