/**
 * The text that one tries, beside the text that Consul has. Pure.
 */
export interface Draft {
  /** What Consul had when one began, or when one last took it over. */
  readonly base: string;
  readonly text: string;
}

/** `add`: lines that one came here to try. */
export const newDraft = (present: string, add = ''): Draft => ({
  base: present,
  text: add === '' ? present : withLine(present, add),
});

/** The line below the others, unless the text has it. */
export function withLine(text: string, line: string): string {
  const lines = text.split(/\r\n?|\n/);
  if (lines.some((one) => one.trim() === line.trim())) return text;
  const end = text === '' || /[\r\n]$/.test(text) ? '' : '\n';
  return `${text}${end}${line}\n`;
}

/**
 * - `same`: Consul has the text.
 * - `edited`: it differs from the text in Consul, which is the one that it was made from.
 * - `conflict`: Consul has another text by now than the one that it was made from.
 */
export type DraftState = 'same' | 'edited' | 'conflict';

export const draftState = ({ base, text }: Draft, present: string): DraftState => {
  if (isEqual(text, present)) return 'same';
  return base === present ? 'edited' : 'conflict';
};

/** A command that stores a text ends its last line. */
const isEqual = (one: string, other: string): boolean => one.trimEnd() === other.trimEnd();

/** After a change in Consul: a text that nobody has touched follows, and one that was stored is the present one. */
export function followed(draft: Draft, present: string): Draft {
  if (draft.base === present) return draft;
  if (draft.text === draft.base) return { base: present, text: present };
  return isEqual(draft.text, present) ? { base: present, text: draft.text } : draft;
}
