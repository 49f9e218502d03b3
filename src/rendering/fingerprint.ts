/**
 * Texts that name their own fingerprint, and digests that are short enough for the kernel's listing.
 */
import { createHash } from 'node:crypto';
import { unrecognisable } from './template.ts';

export interface Rendered {
  readonly text: string;
  /** 32 hex digits: equal for equal texts, whatever namespace they are for. */
  readonly fingerprint: string;
}

/** Stands for the fingerprint while the fingerprint is worked out. */
const BLANK = '0'.repeat(32);

/**
 * The fingerprint is the hash of the text with the fingerprint left blank: it changes with all that changes the text, and
 * with nothing else, because a needless reload would drop the record of denied destinations. `write` returns the text
 * with a fingerprint in it; `name` is its template's, for messages.
 */
export function fingerprinted(name: string, write: (fingerprint: string) => string): Rendered {
  const fingerprint = createHash('sha256').update(write(BLANK)).digest('hex').slice(0, BLANK.length);
  const text = write(fingerprint);
  if (!text.includes(fingerprint)) throw unrecognisable(name);
  return { text, fingerprint };
}

/** 32 bits, as `0x1234abcd`. */
export const shortDigest = (text: string): string =>
  `0x${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;

/** What a loader looks for in the last line: a text cut short on its way must never load. */
const END = '# end';

export const complete = (text: string): string => `${text}${text.endsWith('\n') ? '' : '\n'}${END}\n`;
