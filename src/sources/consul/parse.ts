/**
 * Parses Consul's JSON into our types. No other file knows Consul's format. Anything in another format is an error of
 * the source, never an empty list.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ConsulError } from '../../common/errors.ts';
import type { Instance } from '../../inventory/service.ts';
import { named } from './setting-names.ts';

/** A parsed body. Equal content has an equal digest, in whatever order Consul listed it. */
export interface Parsed<T> {
  readonly value: T;
  readonly digest: string;
  /**
   * What Consul listed, by the names that its ACLs use: full KV keys, or the nodes of a service. Empty if it listed
   * nothing.
   */
  readonly listed: ReadonlySet<string>;
}

export type Rules = ReadonlyMap<string, string>;

const kvEntries = z.array(z.object({ Key: z.string(), Value: z.base64().nullable() }));

/** `/v1/catalog/service/…` */
const catalogEntries = z.array(
  z.object({
    ...{ Node: z.string(), Address: z.string(), ServiceAddress: z.string().nullish() },
    ...{ ServicePort: z.number().int(), ServiceTags: z.array(z.string()).nullish() },
  }),
);
type CatalogEntry = z.infer<typeof catalogEntries>[number];

/** `/v1/health/service/…`, converted to the same form. */
const healthEntries = z.array(
  z
    .object({
      Node: z.object({ Node: z.string(), Address: z.string() }),
      Service: z.object({
        ...{ Address: z.string().nullish(), Port: z.number().int(), Tags: z.array(z.string()).nullish() },
      }),
    })
    .transform(
      ({ Node, Service: { Address, Port, Tags } }): CatalogEntry => ({
        ...{ ...Node, ServiceAddress: Address, ServicePort: Port, ServiceTags: Tags },
      }),
    ),
);

/**
 * ACL key → text. The folder's own key and keys that end in a slash hold no rules. Bytes that are not UTF-8 become
 * U+FFFD, which no rule contains, so only these lines are reported.
 */
export function parseRules(body: Buffer, kvPath: string): Parsed<Rules> {
  const what = `the keys below ${kvPath}`;
  const entries = parseJson(kvEntries, body, what);
  const stray = entries.find(({ Key }) => !Key.startsWith(kvPath));
  if (stray !== undefined) throw notConsul(what, `it holds ${JSON.stringify(stray.Key)}`);
  const texts = entries
    .filter(({ Key }) => !Key.endsWith('/'))
    .map(({ Key, Value }) => [Key.slice(kvPath.length), decodeText(Value)] as const);
  return { ...parsedRules(texts, kvPath), listed: new Set(entries.map(({ Key }) => Key)) };
}

/** The rules of the previous run, as if Consul had just listed them. */
export function parsedRules(texts: Iterable<readonly [string, string]>, kvPath: string): Parsed<Rules> {
  const rules = [...texts].toSorted(([a], [b]) => compare(a, b));
  const listed = new Set(rules.map(([key]) => `${kvPath}${key}`));
  return { value: new Map(rules), digest: digestOf(rules), listed };
}

export function parseInstances(
  body: Buffer,
  what: string,
  health: 'any' | 'passing',
): Parsed<readonly Instance[]> {
  const entries = parseJson(health === 'passing' ? healthEntries : catalogEntries, body, what);
  return parsedInstances(
    entries.map(({ Node, Address, ServiceAddress, ServicePort, ServiceTags }) => ({
      address: ServiceAddress || Address,
      // Consul takes any number; an invalid port counts as unset.
      port: ServicePort >= 0 && ServicePort <= 65_535 ? ServicePort : 0,
      tags: (ServiceTags ?? []).toSorted(),
      node: Node,
    })),
  );
}

/** The same for instances. */
export function parsedInstances(found: readonly Instance[]): Parsed<readonly Instance[]> {
  const sorted = found
    .map((instance) => ({ instance, order: JSON.stringify(instance) }))
    .toSorted((a, b) => compare(a.order, b.order))
    .map(({ instance }) => instance);
  return { value: sorted, digest: digestOf(sorted), listed: new Set(sorted.map(({ node }) => node)) };
}

/** Throws a `ConsulError` for a body that does not match `schema`. */
export function parseJson<T>(schema: z.ZodType<T>, body: Buffer, what: string): T {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    throw notConsul(what, 'it is not JSON');
  }
  const { data, error } = schema.safeParse(json);
  if (data !== undefined) return data;
  const [issue] = error?.issues ?? [];
  throw notConsul(what, `at ${issue?.path.join('.') || 'its top'}: ${issue?.message}`);
}

const notConsul = (what: string, why: string): ConsulError =>
  new ConsulError(
    `The answer for ${what} is not a valid answer of Consul (${why}): check that ${named.address} is Consul's HTTP API.`,
  );

const decodeText = (base64: string | null): string =>
  new TextDecoder().decode(Buffer.from(base64 ?? '', 'base64'));

export const digestOf = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('base64');

/** By UTF-16 code unit: the same on every machine. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
