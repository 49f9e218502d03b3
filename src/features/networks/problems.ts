/**
 * Problems of networks.json, as sentences: where, what was expected, what was found, and the way out.
 */
import type { Problem } from '../../common/problem.ts';
import { printable } from '../../common/text.ts';
import type { JsonText, Path } from './json-text.ts';

/** Where an entry of the file stands. */
export interface Origin {
  /** `policies[1]` */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** The lines of its fields. */
  readonly lines: Readonly<Record<string, number>>;
}

/** An entry of the file, or why it is none. An entry may have warnings. */
export interface ReadEntry<T> {
  readonly entry: T | undefined;
  readonly problems: readonly Problem[];
}

/** `networks.backend.subnet`, `ips["172.18.0.2"].ip`, `policies[1].from` */
export const pathText = (path: Path): string => path.reduce<string>(withPart, '');

const withPart = (before: string, part: string | number): string => {
  if (typeof part === 'number') return `${before}[${part}]`;
  if (!/^[\w-]{1,64}$/.test(part)) return `${before}[${JSON.stringify(printable(part))}]`;
  return before === '' ? part : `${before}.${part}`;
};

/** `field`: of the entry; undefined for the whole entry. */
export const problemAt = (
  severity: Problem['severity'],
  { path, line, lines }: Origin,
  field: string | undefined,
  reason: string,
): Problem =>
  field === undefined
    ? { severity, line, text: path, reason }
    : { severity, line: lines[field] ?? line, text: `${path}.${field}`, reason };

/** Why an entry is none: each reason with the field that it is about; undefined: the whole entry. */
export const rejectedFor = (
  origin: Origin,
  reasons: readonly (readonly [field: string | undefined, reason: string])[],
): ReadEntry<never> => ({
  entry: undefined,
  problems: reasons.map(([field, reason]) => problemAt('error', origin, field, reason)),
});

/** Of a part of the file without fields. */
export const originAt = (json: Pick<JsonText, 'lineOf'>, path: Path): Origin => ({
  ...{ path: pathText(path), line: json.lineOf(path), lines: {} },
});

/** What was found instead, for a sentence. */
export function foundText(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `the list ${short(value)}`;
  return typeof value === 'object' && value !== null ? 'an object' : short(value);
}

/** The first of them, for a sentence. */
export const listed = (all: readonly string[], between: string): string =>
  all.length <= LISTED
    ? all.join(between)
    : `${all.slice(0, LISTED).join(between)}${between}${all.length - LISTED} more`;

const LISTED = 8;

const short = (value: unknown): string => printable(JSON.stringify(value) ?? 'nothing');

/** More are not read by anybody, and each is logged, and listed in the status. */
const MOST = 1_000;

/** In the order of the file, the first of them. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const sorted = problems.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0));
  const rest = sorted.slice(MOST);
  if (rest.length === 0) return sorted;
  const severity = rest.some((one) => one.severity === 'error') ? 'error' : 'warning';
  const reason = `${rest.length} more problems are not listed; correct the others first`;
  return [...sorted.slice(0, MOST), { severity, text: 'the rest of the file', reason }];
}
