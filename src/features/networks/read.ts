/**
 * Reads networks.json, each entry by itself: a bad one becomes a problem, and takes no other along.
 */
import type { z } from 'zod';
import { nearest } from '../../common/nearest.ts';
import type { Problem } from '../../common/problem.ts';
import { quote } from '../../common/text.ts';
import { readAddress, readNetwork } from './addresses.ts';
import { type JsonText, type Path, readJson } from './json-text.ts';
import type { AddressEntry, NetworkEntry, NetworksFile, PolicyEntry } from './model.ts';
import { readPolicy } from './policies.ts';
import { foundText, type Origin, originAt, problemAt, type ReadEntry } from './problems.ts';
import { AddressFields, FileFields, NetworkFields, PolicyFields } from './schema.ts';

export interface ReadNetworks {
  readonly file: NetworksFile;
  /** In the order of the file. */
  readonly problems: readonly Problem[];
}

/** `reason`: the text is no file of networks at all; it follows the file's name. */
export function readNetworks(text: string): ReadNetworks | { readonly reason: string } {
  const json = readJson(text);
  if ('reason' in json) return json;
  const { value } = json;
  if (!isObject(value))
    return { reason: `has ${foundText(value)} where an object with networks, ips and policies must be` };
  const excess = excessOf(value);
  if (excess !== undefined) return { reason: excess };
  const networks = section(json, value, 'networks', NetworkFields, readNetwork);
  const addresses = section(json, value, 'ips', AddressFields, readAddress);
  const policies = section(json, value, 'policies', PolicyFields, readPolicy);
  const problems = [
    ...unknownSections(json, value),
    ...json.repeated.map((path) => repeatedProblem(json, path)),
    ...[networks, addresses, policies].flatMap((one) => one.problems),
  ];
  return {
    file: {
      networks: networks.entries satisfies readonly NetworkEntry[],
      addresses: addresses.entries satisfies readonly AddressEntry[],
      policies: policies.entries satisfies readonly PolicyEntry[],
    },
    problems: problems.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0)),
  };
}

type Section = 'networks' | 'ips' | 'policies';

/** More than a host has. Each is compared with the others, and with what runs. */
const MOST: Readonly<Record<Section, number>> = { networks: 1_000, ips: 5_000, policies: 10_000 };

function excessOf(top: Objects): string | undefined {
  for (const [name, most] of Object.entries(MOST)) {
    const section = top[name];
    const length = typeof section === 'object' && section !== null ? Object.keys(section).length : 0;
    if (length > most) return `has ${length} ${name}, and at most ${most} are read`;
  }
  return undefined;
}

type Objects = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Objects =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `read` gets the fields of an entry, and its key. */
function section<Fields, T>(
  json: JsonText,
  top: Objects,
  name: Section,
  schema: z.ZodType<Fields>,
  read: (fields: Fields, origin: Origin, key: string) => ReadEntry<T>,
): { readonly entries: readonly T[]; readonly problems: readonly Problem[] } {
  const entries = entriesOf(top[name], name);
  if (entries === undefined) {
    const origin = originAt(json, [name]);
    const what = name === 'policies' ? 'a list of policies' : `an object of ${name} by name`;
    const reason = `expected ${what}, got ${foundText(top[name])}`;
    return { entries: [], problems: [problemAt('error', origin, undefined, reason)] };
  }
  const all = entries.map(([key, value]) => {
    const path: Path = [name, key];
    const lines = Object.keys(isObject(value) ? value : {}).map((field) => [
      field,
      json.lineOf([...path, field]),
    ]);
    const origin = { ...originAt(json, path), lines: Object.fromEntries(lines) };
    const shaped = readFields(json, path, schema, value);
    if (shaped.entry === undefined) return { entry: undefined, problems: shaped.problems };
    const { entry, problems } = read(shaped.entry, origin, String(key));
    return { entry, problems: [...shaped.problems, ...problems] };
  });
  return {
    entries: all.flatMap(({ entry }) => entry ?? []),
    problems: all.flatMap(({ problems }) => problems),
  };
}

/** None for an absent section; undefined for one of another kind. */
function entriesOf(
  value: unknown,
  name: Section,
): readonly (readonly [string | number, unknown])[] | undefined {
  if (value === undefined) return [];
  if (name === 'policies') return Array.isArray(value) ? [...value.entries()] : undefined;
  return isObject(value) ? Object.entries(value) : undefined;
}

/** Holds an entry against its schema. Unknown fields are left out, but for what may be a mistyped one. */
function readFields<Fields>(
  json: JsonText,
  path: Path,
  schema: z.ZodType<Fields>,
  value: unknown,
): ReadEntry<Fields> {
  const at = (inner: Path) => originAt(json, [...path, ...inner]);
  if (!isObject(value)) {
    const reason = `expected an object, got ${foundText(value)}`;
    return { entry: undefined, problems: [problemAt('error', at([]), undefined, reason)] };
  }
  const known = new Set(fieldsOf(schema));
  const [fields, unknown] = [
    withoutEmpty(value, known),
    Object.keys(value).filter((name) => !known.has(name)),
  ];
  const problems = unknown.map((name) => unknownField(at([name]), name, [...known]));
  const { success, data, error } = schema.safeParse(fields);
  const wrong = (error?.issues ?? []).map((issue) =>
    problemAt('error', at(issue.path.flatMap(partOf)), undefined, issue.message),
  );
  const isGood = success && problems.every(({ severity }) => severity === 'warning');
  return { entry: isGood ? data : undefined, problems: [...problems, ...wrong] };
}

const partOf = (part: PropertyKey): readonly (string | number)[] => (typeof part === 'symbol' ? [] : [part]);

const fieldsOf = (schema: z.ZodType): readonly string[] =>
  'shape' in schema && isObject(schema.shape) ? Object.keys(schema.shape) : [];

/** Programs that write the file may write an empty text for what is not there. */
const withoutEmpty = (value: Objects, known: ReadonlySet<string>): Objects =>
  Object.fromEntries(Object.entries(value).filter(([name, one]) => known.has(name) && one !== ''));

function unknownField(at: Origin, name: string, known: readonly string[]): Problem {
  const meant = nearest(name, known);
  if (meant === undefined)
    return problemAt('warning', at, undefined, `is no field of such an entry, and has no effect; remove it`);
  const reason = `is no field of such an entry; did you mean ${quote(meant)}? The entry has no effect meanwhile`;
  return problemAt('error', at, undefined, reason);
}

const SECTIONS = Object.keys(FileFields.shape);

const unknownSections = (json: JsonText, top: Objects): readonly Problem[] =>
  Object.keys(top)
    .filter((name) => !SECTIONS.includes(name))
    .map((name) => {
      const meant = nearest(name, SECTIONS);
      const hint = meant === undefined ? 'remove it' : `did you mean ${quote(meant)}?`;
      return problemAt(
        'error',
        originAt(json, [name]),
        undefined,
        `is no part of this file, and has no effect; ${hint}`,
      );
    });

const repeatedProblem = (json: JsonText, path: Path): Problem =>
  problemAt(
    'error',
    originAt(json, path),
    undefined,
    'stands twice in its object, and the last one counts; rename or remove one',
  );
