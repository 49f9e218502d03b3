/** systemd's unit files, as far as ours go. */
import { readFileSync } from 'node:fs';

export interface Setting {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/** A line that ends in a backslash goes on in the next. */
export function settingsOf(file: string): readonly Setting[] {
  let section = '';
  const lines = readFileSync(file, 'utf8')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return lines.flatMap((line) => {
    const [, header] = /^\[(\w+)\]$/.exec(line) ?? [];
    section = header ?? section;
    const [, name, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ section, name, value }];
  });
}

export const valuesOf = (file: string, name: string): readonly string[] =>
  settingsOf(file).flatMap((setting) => (setting.name === name ? [setting.value] : []));
