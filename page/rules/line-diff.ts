/**
 * Which lines of a text differ from those of another. Pure.
 */
export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed';
  readonly text: string;
  /** In the new text, or in the former one if it was removed; from 1. */
  readonly line: number;
}

/** Work for which the shortest difference is looked for: lines of one by lines of the other. */
const MOST = 1_000_000;

export function lineDiff(before: string, after: string): readonly DiffLine[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  const head = commonStart(old, now);
  const tail = commonStart(old.slice(head).toReversed(), now.slice(head).toReversed());
  const inner = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)] as const;
  return [
    ...now.slice(0, head).map((text, at) => same(text, at)),
    ...(inner[0].length * inner[1].length > MOST ? replaced(...inner, head) : shortest(...inner, head)),
    ...now.slice(now.length - tail).map((text, at) => same(text, now.length - tail + at)),
  ];
}

/** A line end at the end begins no line. */
export const linesOf = (text: string): readonly string[] => {
  const lines = text.split(/\r\n?|\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
};

const same = (text: string, at: number): DiffLine => ({ kind: 'same', text, line: at + 1 });
const added = (text: string, at: number): DiffLine => ({ kind: 'added', text, line: at + 1 });
const removed = (text: string, at: number): DiffLine => ({ kind: 'removed', text, line: at + 1 });

function commonStart(one: readonly string[], other: readonly string[]): number {
  let count = 0;
  while (count < one.length && count < other.length && one[count] === other[count]) count += 1;
  return count;
}

const replaced = (old: readonly string[], now: readonly string[], from: number): readonly DiffLine[] => [
  ...old.map((text, at) => removed(text, from + at)),
  ...now.map((text, at) => added(text, from + at)),
];

/** By the longest common subsequence. */
function shortest(old: readonly string[], now: readonly string[], from: number): readonly DiffLine[] {
  const common = commonLengths(old, now);
  const found: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const [was, is] = [old[i], now[j]];
    if (was !== undefined && was === is) {
      found.push(same(was, from + j));
      i += 1;
      j += 1;
    } else if (was !== undefined && (is === undefined || common(i + 1, j) >= common(i, j + 1))) {
      found.push(removed(was, from + i));
      i += 1;
    } else {
      found.push(added(is ?? '', from + j));
      j += 1;
    }
  }
  return found;
}

/** How long the longest common subsequence is from two places on. */
function commonLengths(old: readonly string[], now: readonly string[]): (i: number, j: number) => number {
  const width = now.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      lengths[i * width + j] =
        old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  return at;
}

/** The changed lines, with a few around them; `undefined` stands where others are left out. */
export function withContext(lines: readonly DiffLine[], around = 2): readonly (DiffLine | undefined)[] {
  const near = new Set<number>();
  for (const [at, { kind }] of lines.entries())
    if (kind !== 'same') for (let place = at - around; place <= at + around; place += 1) near.add(place);
  const shown: (DiffLine | undefined)[] = [];
  for (const [at, line] of lines.entries()) {
    if (near.has(at)) shown.push(line);
    else if (shown.at(-1) !== undefined) shown.push(undefined);
  }
  return shown.at(-1) === undefined ? shown.slice(0, -1) : shown;
}
