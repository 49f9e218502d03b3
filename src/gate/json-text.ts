/**
 * Changes to one member of a JSON object that leave every other byte of the text as it is: files that
 * people write by hand keep their order, their indentation and their numbers.
 *
 * `modify` of jsonc-parser formats the whole line that it edits, so only its tree is used here. The text must be
 * valid JSON whose top is an object; `JSON.parse` has parsed it before.
 */
import { type Node, parseTree } from 'jsonc-parser';

/** From the top down: `['runtimes', 'egresstrator']`. */
export type MemberPath = readonly [string, ...string[]];

/** What one level is indented by; `undefined`: all is in one line. */
type Indent = string | undefined;

/** The text with the member set; objects on the way are made if they are missing. */
export function setMember(text: string, path: MemberPath, value: unknown): string {
  const { object, depth, rest, found } = walk(text, path);
  const [key, ...names] = rest;
  const content = names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  const indent = indentOf(text);
  const printed = print(content, indent, depth);
  const old = found?.children?.[1];
  if (old !== undefined) return splice(text, old.offset, endOf(old), printed);
  const line = `${JSON.stringify(key)}:${indent === undefined ? '' : ' '}${printed}`;
  const last = object.children?.at(-1);
  if (last !== undefined) return splice(text, endOf(last), endOf(last), `,${margin(indent, depth)}${line}`);
  return splice(
    text,
    object.offset,
    endOf(object),
    `{${margin(indent, depth)}${line}${margin(indent, depth - 1)}}`,
  );
}

/** The text without the member, its comma and its space; the same text if there is no such member. */
export function removeMember(text: string, path: MemberPath): string {
  const { object, rest, found } = walk(text, path);
  if (found === undefined || rest.length > 1) return text;
  const members = object.children ?? [];
  const index = members.indexOf(found);
  const [before, after] = [members[index - 1], members[index + 1]];
  if (before !== undefined) return splice(text, endOf(before), endOf(found), '');
  if (after !== undefined) return splice(text, found.offset, after.offset, '');
  return splice(text, object.offset, endOf(object), '{}');
}

/** The innermost object on the path that exists, the names that are left, and the member that has the first of them. */
function walk(text: string, path: MemberPath) {
  let object = parseTree(text) ?? EMPTY;
  for (const [index, key] of path.entries()) {
    // As `JSON.parse` does it: the last of several members with one name counts.
    const found = object.children?.findLast(({ children }) => children?.[0]?.value === key);
    const value = found?.children?.[1];
    if (value?.type !== 'object' || index === path.length - 1) {
      return { object, found, depth: index + 1, rest: path.slice(index) };
    }
    object = value;
  }
  return { object, found: undefined, depth: path.length, rest: [] };
}

const EMPTY: Node = { type: 'object', offset: 0, length: 0 };

const endOf = ({ offset, length }: Node): number => offset + length;

const splice = (text: string, start: number, end: number, inserted: string): string =>
  text.slice(0, start) + inserted + text.slice(end);

const indentOf = (text: string): Indent =>
  /\{[^\S\n]*\r?\n([ \t]+)"/.exec(text)?.[1] ?? (/^\s*\{\s*\}\s*$/.test(text) ? '  ' : undefined);

const margin = (indent: Indent, level: number): string =>
  indent === undefined ? '' : `\n${indent.repeat(level)}`;

const print = (value: unknown, indent: Indent, depth: number): string =>
  JSON.stringify(value, null, indent).replaceAll('\n', `\n${indent?.repeat(depth) ?? ''}`);
