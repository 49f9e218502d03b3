/**
 * Splits the text of a rule by name, and decides whether a text is meant as one: `name[@prefix[,prefix]]:protocol/ports`.
 */
import { hostNameFault, serviceFault } from '../net/host-name.ts';

export interface NameParts {
  /** The whole text. */
  readonly text: string;
  readonly name: string;
  /** After the `@`. */
  readonly place: string | undefined;
  /** After the colon; undefined where there is none, or nothing after it. */
  readonly traffic: string | undefined;
}

/** Letters of any language: a name in another script gets a message of its own. */
const NAME = /^[\p{L}\p{M}\p{N}_*.-]+$/u;
/** Addresses, also mistyped ones, have messages of their own. */
const NUMERIC = /^(?:[\d.]+|\d+\.\d+\.\d+\.(?:\d|[a-z*]$).*|0x[\da-f]+)$/i;

/** The parts of a text that is meant as a rule by name; undefined for anything else. */
export const asNameParts = (text: string): NameParts | undefined => {
  const parts = split(text);
  return NAME.test(parts.name) && isMeant(parts) ? parts : undefined;
};

const split = (text: string): NameParts => {
  const at = text.indexOf('@');
  const after = at < 0 ? text : text.slice(at + 1);
  const colon = after.lastIndexOf(':');
  const hasColon = colon > after.lastIndexOf(']');
  const before = hasColon ? after.slice(0, colon) : after;
  const traffic = (hasColon && after.slice(colon + 1)) || undefined;
  return at < 0
    ? { text, name: before, place: undefined, traffic }
    : { text, name: text.slice(0, at), place: before, traffic };
};

const isMeant = (parts: NameParts): boolean => {
  const { text, name, place, traffic } = parts;
  // A prefix or a star is in no other rule.
  if (place !== undefined) return /^[\d[*]|:/.test(place);
  if (NUMERIC.test(name)) return false;
  if (name.includes('*')) return true;
  if (serviceFault(text) !== undefined) return false;
  return (name.includes('.') && hasPorts(traffic)) || hostNameFault(text) !== undefined;
};

const hasPorts = (traffic = ''): boolean => /^[a-z\d]*\/|^\d/i.test(traffic);
