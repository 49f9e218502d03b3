/**
 * Names of DNS as lists of labels, never as one text: `a.b` may be one label or two, and who confuses them decides by
 * another name than the one that is asked.
 *
 * A label is a text of 1–63 characters 0–255, one for each byte, with ASCII letters in lower case. So equal names are
 * equal lists, and no other letter counts as equal (the `toLowerCase` of JavaScript would also change bytes over 127).
 */

/** The labels from the left, without the root's empty one: the root is the empty list. */
export type Name = readonly string[];

/** RFC 1035: bytes of a label, and of a whole name with its lengths and the root. */
export const LONGEST_LABEL = 63;
export const LONGEST_NAME = 255;

/** Each byte as a character, with A–Z as a–z. */
const LOWER: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte),
);

/** The character of a label for a byte. */
export const lowerByte = (byte: number): string => LOWER[byte & 0xff] ?? '';

/** The text with ASCII letters, and no others, in lower case. */
const lowerLabel = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0x20));

/**
 * The name as a key of maps: each label after a character that is its length. The key of a parent is the end of the
 * key of its child, and no two names share one.
 */
export const nameKey = (name: Name): string => {
  let key = '';
  for (const label of name) key += String.fromCharCode(label.length) + label;
  return key;
};

/** The labels of a key that `nameKey` made. */
export const nameOfKey = (key: string): Name => {
  const labels: string[] = [];
  for (let at = 0; at < key.length; ) {
    const end = at + 1 + key.charCodeAt(at);
    labels.push(key.slice(at + 1, end));
    at = end;
  }
  return labels;
};

export const sameName = (a: Name, b: Name): boolean =>
  a.length === b.length && a.every((label, index) => label === b[index]);

/** True if `name` is `parent` or a name below it. */
export const isWithin = (name: Name, parent: Name): boolean => {
  const above = name.length - parent.length;
  return above >= 0 && parent.every((label, index) => label === name[above + index]);
};

/** Bytes of the name in a message, without compression. */
export const wireLength = (name: Name): number => name.reduce((sum, { length }) => sum + 1 + length, 1);

/**
 * The presentation form: `api.example.com`, `.` for the root. A dot or a backslash inside a label is `\.` or `\\`, and
 * a byte that is no visible ASCII is `\ddd`: the text is always one line, and each name has its own.
 */
export const formatName = (name: Name): string =>
  name.length === 0 ? '.' : name.map((label) => label.replace(/[^!-~]|[.\\]/g, escaped)).join('.');

const escaped = (character: string): string =>
  character === '.' || character === '\\'
    ? `\\${character}`
    : `\\${String(character.charCodeAt(0)).padStart(3, '0')}`;

/** The name of a presentation form, with or without the root's dot; or why there is none. */
export const parseName = (text: string): { readonly name: Name } | { readonly reason: string } => {
  if (text === '.') return { name: [] };
  if (text.length > LONGEST_TEXT) return { reason: 'the name is longer than 255 bytes' };
  const labels: string[] = [];
  let label = '';
  for (const [piece] of text.matchAll(PIECE)) {
    if (piece !== '.') {
      const byte = byteOf(piece);
      if (byte === undefined) return { reason: 'the name holds a character that is no byte' };
      label += byte;
    } else {
      labels.push(label);
      label = '';
    }
  }
  if (label !== '' || text === '') labels.push(label);
  return checked(labels.map(lowerLabel));
};

/** Each of 255 bytes as `\ddd`. */
const LONGEST_TEXT = 4 * LONGEST_NAME;
const PIECE = /\\\d{3}|\\[^\d]|./gsu;

/** The byte that a piece means, as a character; undefined for half an escape and for no byte. */
const byteOf = (piece: string): string | undefined => {
  if (piece === '\\') return undefined;
  const isEscape = piece.startsWith('\\');
  const code = /^\\\d/.test(piece) ? Number(piece.slice(1)) : (piece.codePointAt(isEscape ? 1 : 0) ?? 0);
  return code <= 0xff ? String.fromCharCode(code) : undefined;
};

const checked = (name: Name): { readonly name: Name } | { readonly reason: string } => {
  if (name.includes('')) return { reason: 'the name has an empty label' };
  if (name.some(({ length }) => length > LONGEST_LABEL)) return { reason: 'a label is longer than 63 bytes' };
  return wireLength(name) > LONGEST_NAME ? { reason: 'the name is longer than 255 bytes' } : { name };
};
