/**
 * Commands to copy, with their input. Any text of a key can be in them: it is quoted, and has no characters that control
 * a terminal. Pure.
 */

import type { Direction } from '../../src/common/direction.ts';
import { printableLines, shellWord } from '../../src/common/text.ts';
import { canBeTyped, plainSpace } from '../../src/format/suggest.ts';

/** An ACL key or an ingress key. */
export interface KeyPlace {
  readonly key: string;
  readonly direction: Direction;
  /** Where its kind of keys is in Consul. */
  readonly folder: string;
}

/** False for a key whose name is unsafe on a command line. */
export const hasCommands = ({ key }: Pick<KeyPlace, 'key'>): boolean => canBeTyped(key);

/** Stores the whole text. */
export const putTextCommand = (place: KeyPlace, text: string): string =>
  withInput(`consul kv put ${shellWord(pathOf(place))} -`, text);

export const getCommand = (place: KeyPlace): string => `consul kv get ${shellWord(pathOf(place))}`;

export const diffTextCommand = ({ key, direction }: KeyPlace, text: string): string =>
  withInput(`egresstrator diff ${flagOf(direction)}${shellWord(key)} --file -`, text);

/** The same with a file; without a key that can be typed, it says where one goes. */
export const diffFileCommand = ({ key, direction }: Pick<KeyPlace, 'key' | 'direction'>): string =>
  `egresstrator diff ${flagOf(direction)}${wordOf(key)} --file <path>`;

export const lintKeyCommand = ({ key, direction }: KeyPlace): string =>
  `egresstrator lint ${flagOf(direction)}--key ${wordOf(key)}`;

const wordOf = (key: string): string => (key === '' || !canBeTyped(key) ? '<key>' : shellWord(key));

const flagOf = (direction: Direction): string => (direction === 'ingress' ? '--ingress ' : '');

const pathOf = ({ key, folder }: KeyPlace): string => `${folder.replace(/^\/+|\/+$/g, '')}/${key}`;

/** The text goes in by standard input: it may begin with a sign that has a meaning for a command. */
export function withInput(command: string, text: string): string {
  const safe = printableLines(plainSpace(text));
  const end = endFor(safe);
  const input = safe === '' || safe.endsWith('\n') ? safe : `${safe}\n`;
  return `${command} <<'${end}'\n${input}${end}`;
}

/** A line that the text does not have. */
function endFor(text: string): string {
  const lines = new Set(text.split('\n'));
  let end = 'RULES';
  while (lines.has(end)) end += '_';
  return end;
}
