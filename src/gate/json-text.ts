/**
 * Changes one member of a JSON object and leaves every other byte of the text as it is: files that people write by
 * hand keep their order, indentation and numbers.
 *
 * `modify` of jsonc-parser reformats the whole line, so only its syntax tree is used. The text must be valid JSON with
 * an object at the top; `JSON.parse` has parsed it before.
 */
import { type Node, parseTree } from 'jsonc-parser';

/** The names from the top down: `['runtimes', 'egresstrator']`. */
export type MemberPath = readonly [string, ...string[]];

/** The indentation of one level; undefined if the text has only one line. */
type Indent = string | undefined;

/** Sets the member; creates missing objects on the path. */
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

/** Removes the member with its comma and space; returns the same text if there is no such member. */
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

/** The innermost existing object on the path, the remaining names, and the member with the first of them. */
function walk(text: string, path: MemberPath) {
  let object = parseTree(text) ?? EMPTY;
  for (const [index, key] of path.entries()) {
    // As in `JSON.parse`, the last of several members with one name counts.
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
