/**
 * Text that others wrote, made fit to be shown in a log line, a terminal or a status page.
 */
const SHOWN = 80;

/** Invisible or line-breaking characters: they could forge log lines or steer a terminal. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

const codePoint = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`;

/** The text cut to a sane length, what cannot be seen written as `\u{…}`. */
export const printable = (text: string): string =>
  text.slice(0, SHOWN).replace(UNPRINTABLE, codePoint) + (text.length > SHOWN ? '…' : '');

/** The same in double quotes, for the middle of a sentence. */
export const quote = (text: string): string => `"${printable(text)}"`;
