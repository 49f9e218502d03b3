/**
 * JSON that people write: its value, the line of each part, and names that an object has twice, of which `JSON.parse`
 * would keep the last in silence.
 */
import { type Node, type ParseError, type ParseErrorCode, parseTree } from 'jsonc-parser';

/** `['policies', 1, 'from']` */
export type Path = readonly (string | number)[];

export interface JsonText {
  readonly value: unknown;
  /** From 1; of the nearest part around it where the path leads nowhere. */
  lineOf(path: Path): number;
  /** The members after the first of their name in the same object. */
  readonly repeated: readonly Path[];
}

/** More is not a file that people write, and would take long. */
const MOST = 4 * 1024 * 1024;
/** The reader calls itself for each level. */
const DEEPEST = 100;
/** Texts, numbers and others: each has a position that is kept. */
const MOST_VALUES = 250_000;

/** `reason`: why it is not JSON, to follow the file's name. */
export function readJson(text: string): JsonText | { readonly reason: string } {
  const plain = text.replace(/^\ufeff/, '');
  if (plain.trim() === '') return { reason: 'is empty' };
  if (plain.length > MOST) return { reason: `has more than ${MOST / 1024 / 1024} MiB` };
  const excess = excessOf(plain);
  if (excess !== undefined) return { reason: excess };
  const errors: ParseError[] = [];
  const root = parseTree(plain, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (first !== undefined) return { reason: syntaxReason(plain, first) };
  const value = parsed(plain);
  if (root === undefined || value === undefined) return { reason: 'is not JSON' };
  const { offsets, repeated } = partsOf(root);
  const line = lineFinder(plain);
  return { value, repeated, lineOf: (path) => line(nearestOffset(offsets, path)) };
}

/** JSON.parse decides what is JSON; undefined is not. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Why it is too much to read. Brackets and commas in strings count too: a file with a hundred more brackets that open than
 * close is none that people write.
 */
function excessOf(text: string): string | undefined {
  let [depth, values] = [0, 0];
  for (const one of text) {
    if (one === '{' || one === '[') depth++;
    if (one === '}' || one === ']') depth--;
    if (one === ',') values++;
    if (depth > DEEPEST) return `has more than ${DEEPEST} objects and lists within each other`;
    if (values > MOST_VALUES) return `has more than ${MOST_VALUES} values`;
  }
  return undefined;
}

function syntaxReason(text: string, { error, offset, length }: ParseError): string {
  const line = lineFinder(text)(offset);
  const place = `line ${line}, column ${offset - text.slice(0, offset).lastIndexOf('\n')}`;
  const isClosed = error === SOMETHING_BEHIND || text[offset] === '}' || text[offset] === ']';
  const isCut = !isClosed && text.slice(offset + length).trim() === '';
  return isCut
    ? `ends in the middle (${place}), as a file that is half written`
    : `is not JSON from ${place} on`;
}

/** The value has ended, and the text goes on. */
const SOMETHING_BEHIND: ParseErrorCode = 9;

interface Parts {
  /** Where each part begins, by its path. */
  readonly offsets: Map<string, number>;
  readonly repeated: Path[];
}

const keyOf = (path: Path): string => JSON.stringify(path);

function partsOf(root: Node): Parts {
  const parts: Parts = { offsets: new Map(), repeated: [] };
  addParts(root, [], parts);
  return parts;
}

function addParts(node: Node, path: Path, parts: Parts): void {
  parts.offsets.set(keyOf(path), node.offset);
  const children = node.children ?? [];
  if (node.type === 'array')
    for (const [index, child] of children.entries()) addParts(child, [...path, index], parts);
  if (node.type !== 'object') return;
  const seen = new Set<string>();
  for (const { children: [name, value] = [] } of children) {
    const own = [...path, String(name?.value)];
    if (seen.has(String(name?.value))) parts.repeated.push(own);
    seen.add(String(name?.value));
    if (value !== undefined) addParts(value, own, parts);
  }
}

function nearestOffset(offsets: ReadonlyMap<string, number>, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const found = offsets.get(keyOf(path.slice(0, length)));
    if (found !== undefined) return found;
  }
  return 0;
}

/** Finds the line of an offset, from 1. */
function lineFinder(text: string): (offset: number) => number {
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
  return (offset) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ends[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}
