/**
 * Makes text that others wrote safe for a log line, a terminal or a status page. Names, labels, keys,
 * rules, and what Consul, the Engine and nft answer, can contain sequences that control a terminal, line ends that
 * forge a line, and characters that are invisible or reorder others.
 */

/** The most characters that are shown of a text inside a sentence, and of one that stands alone. */
const SHOWN = 80;
const MOST = 1_000;

/** Invisible or line-breaking characters: controls, formats (bidi, zero width), halves and unassigned ones. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

const SHORT: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** `\n`, `\x1b`, `\u202e`, `\u{e0041}` */
function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code > 0xffff) return `\\u{${hex}}`;
  return SHORT.get(character) ?? (code > 0xff ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`);
}

/** The text, shortened, with invisible characters escaped: always one line. */
export const printable = (text: string, most: number = SHOWN): string =>
  text.slice(0, most).replace(UNPRINTABLE, escaped) + (text.length > most ? '…' : '');

/** The same in double quotes, for the middle of a sentence. */
export const quote = (text: string): string => `"${printable(text)}"`;

/**
 * A text of many lines at its full length: line ends and tabs stay, and text that `except` matches (with the flags
 * `gu`, and no line end in it).
 */
export function printableLines(text: string, except?: RegExp): string {
  const plain = (part: string): string =>
    part.replace(UNPRINTABLE, (one) => (one === '\n' || one === '\t' ? one : escaped(one)));
  if (except === undefined) return plain(text);
  const kept = [...text.matchAll(except)].map(([match]) => match);
  return text
    .split(except)
    .map((part, index) => plain(part) + (kept[index] ?? ''))
    .join('');
}

/** A copy in which every text, including names of fields, is safe to show. `most`: characters of each. */
export function shown<T>(value: T, most: number = MOST): T {
  const copy = structuredClone({ value });
  makePrintable(copy, most);
  return copy.value;
}

function makePrintable(node: object, most: number): void {
  for (const [name, inner] of Object.entries(node)) {
    const fit = printable(name, most);
    if (fit !== name) Reflect.deleteProperty(node, name);
    if (typeof inner === 'object' && inner !== null) makePrintable(inner, most);
    Reflect.set(node, fit, typeof inner === 'string' ? printable(inner, most) : inner);
  }
}

/**
 * JSON for printing: the same value, but characters that can control a terminal (DEL, C1) or are invisible (bidi,
 * zero width) are written as `\u…`. Line ends between fields stay.
 */
export const printableJson = (json: string): string =>
  json.replace(UNPRINTABLE, (one) =>
    one === '\n'
      ? one
      : Array.from({ length: one.length }, (_, index) => jsonEscape(one.charCodeAt(index))).join(''),
  );

const jsonEscape = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;

/** Quotes any text as one word of a POSIX shell. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
