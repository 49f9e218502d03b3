/**
 * An address with a port: where a server answers.
 */
import { formatPrefix, parseAddress } from './address.ts';

export interface Endpoint {
  /** One address in canonical text, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
}

const SHAPE = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/;

/** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`; undefined for anything else. */
export const parseEndpoint = (text: string, port: number): Endpoint | undefined => {
  const bare = parseAddress(text);
  if (bare !== undefined) return { address: formatPrefix(bare), port };
  const [, bracketed, plain = '', digits = `${port}`] = SHAPE.exec(text) ?? [];
  const address = parseAddress(bracketed ?? plain);
  if (address === undefined || (address.family === 6) !== (bracketed !== undefined)) return undefined;
  const given = Number(digits);
  return given >= 1 && given <= 65_535 ? { address: formatPrefix(address), port: given } : undefined;
};

/** The text that `parseEndpoint` parses to the same. */
export const formatEndpoint = ({ address, port }: Endpoint): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;
