/**
 * Changes to one member of a JSON object that leave every other byte of the text as it is: files that
 * people write by hand keep their order, their indentation and their numbers.
 *
 * The text must be valid JSON whose top is an object; `JSON.parse` has seen it before.
 */

/** From the top down: `['runtimes', 'egresstrator']`. */
export type MemberPath = readonly [string, ...string[]];

interface Member {
  readonly key: string;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** An object in a text, and how its members are laid out. */
interface Place {
  readonly text: string;
  /** Where its brace is. */
  readonly open: number;
  readonly depth: number;
  /** What one level is indented by; `undefined`: all is in one line. */
  readonly indent: string | undefined;
}

/** The text with the member set; objects on the way are made if they are missing. */
export const setMember = (text: string, path: MemberPath, value: unknown): string =>
  setIn({ text, open: text.indexOf('{'), depth: 1, indent: indentOf(text) }, path, value);

/** The text without the member; without it, the same text. */
export function removeMember(text: string, path: MemberPath): string {
  let open = text.indexOf('{');
  for (const [depth, key] of path.entries()) {
    const members = membersOf(text, open);
    const index = members.findLastIndex((member) => member.key === key);
    const member = members[index];
    if (member === undefined) return text;
    if (depth === path.length - 1) return cutMember(text, members, index);
    if (text[member.valueStart] !== '{') return text;
    open = member.valueStart;
  }
  return text;
}

const indentOf = (text: string): string | undefined =>
  /\{[^\S\n]*\r?\n([ \t]+)"/.exec(text)?.[1] ?? (/^\s*\{\s*\}\s*$/.test(text) ? '  ' : undefined);

function setIn(place: Place, [key, next, ...others]: MemberPath, value: unknown): string {
  const { text, open, depth } = place;
  const members = membersOf(text, open);
  const member = members.findLast((one) => one.key === key);
  if (member !== undefined && next !== undefined && text[member.valueStart] === '{') {
    return setIn({ ...place, open: member.valueStart, depth: depth + 1 }, [next, ...others], value);
  }
  const names = next === undefined ? [] : [next, ...others];
  const printed = print(
    names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value),
    place,
  );
  if (member !== undefined) return text.slice(0, member.valueStart) + printed + text.slice(member.end);
  return addMember(
    place,
    members.at(-1),
    `${JSON.stringify(key)}:${place.indent === undefined ? '' : ' '}${printed}`,
  );
}

function addMember({ text, open, depth, indent }: Place, last: Member | undefined, line: string): string {
  const margin = (level: number): string => (indent === undefined ? '' : `\n${indent.repeat(level)}`);
  if (last !== undefined) return `${text.slice(0, last.end)},${margin(depth)}${line}${text.slice(last.end)}`;
  const close = skipSpace(text, open + 1);
  return `${text.slice(0, open + 1)}${margin(depth)}${line}${margin(depth - 1)}${text.slice(close)}`;
}

/** With the comma and the space that made it a member of its own. */
function cutMember(text: string, members: readonly Member[], index: number): string {
  const [before, member, after] = [members[index - 1], members[index], members[index + 1]];
  if (member === undefined) return text;
  if (before !== undefined) return text.slice(0, before.end) + text.slice(member.end);
  if (after !== undefined) return text.slice(0, member.start) + text.slice(after.start);
  const open = text.lastIndexOf('{', member.start);
  return text.slice(0, open + 1) + text.slice(skipSpace(text, member.end));
}

const print = (value: unknown, { depth, indent }: Place): string =>
  JSON.stringify(value, null, indent).replaceAll('\n', `\n${indent?.repeat(depth) ?? ''}`);

function membersOf(text: string, open: number): readonly Member[] {
  const members: Member[] = [];
  let at = skipSpace(text, open + 1);
  while (text[at] === '"') {
    const keyEnd = skipString(text, at);
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = skipValue(text, valueStart);
    members.push({ key: String(JSON.parse(text.slice(at, keyEnd))), start: at, valueStart, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return members;
}

/** Token by token until all that was opened is closed. */
function skipValue(text: string, start: number): number {
  let at = start;
  let depth = 0;
  do {
    const next = skip(text, at, /"(?:[^"\\]|\\.)*"|[^"{}[\]\s,:]+|[\s\S]/y);
    const token = text.slice(at, next);
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth--;
    at = next;
  } while (depth > 0 && at < text.length);
  return at;
}

const skipSpace = (text: string, at: number): number => skip(text, at, /\s*/y);
const skipString = (text: string, at: number): number => skip(text, at, /"(?:[^"\\]|\\.)*"/y);

function skip(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 1);
}
