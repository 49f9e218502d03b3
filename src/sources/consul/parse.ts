/**
 * Consul's JSON → our types. Nothing else in the program sees Consul's shape, and what does not have
 * it is an error of the source, never an empty list.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ConsulError } from '../../common/errors.ts';
import type { Instance } from '../../inventory/service.ts';
import { named } from './names.ts';

/** A body, parsed. Equal content has an equal digest, in whatever order Consul listed it. */
export interface Parsed<T> {
  readonly value: T;
  readonly digest: string;
  /**
   * What Consul listed, by the names that its ACLs know: full KV keys, or the nodes of a service.
   * Empty: it listed nothing.
   */
  readonly listed: ReadonlySet<string>;
}

export type Rules = ReadonlyMap<string, string>;

const kvEntries = z.array(z.object({ Key: z.string(), Value: z.base64().nullable() }));

const port = z.number().int();
const tags = z.array(z.string()).nullish();
const catalogEntries = z.array(
  z.object({
    Node: z.string(),
    Address: z.string(),
    ServiceAddress: z.string().nullish(),
    ServicePort: port,
    ServiceTags: tags,
  }),
);
const healthEntries = z.array(
  z.object({
    Node: z.object({ Node: z.string(), Address: z.string() }),
    Service: z.object({ Address: z.string().nullish(), Port: port, Tags: tags }),
  }),
);

/**
 * ACL key → text. The folder's own key and keys that end in a slash hold no rules. Bytes that are no
 * UTF-8 become U+FFFD, which no rule holds, so that only their own lines are reported as bad.
 */
export function parseRules(body: Buffer, kvPath: string): Parsed<Rules> {
  const entries = parse(kvEntries, body, `the keys below ${kvPath}`);
  const stray = entries.find(({ Key }) => !Key.startsWith(kvPath));
  if (stray !== undefined)
    throw notConsul(`the keys below ${kvPath}`, `it holds ${JSON.stringify(stray.Key)}`);
  const texts = entries
    .filter(({ Key }) => !Key.endsWith('/'))
    .map(({ Key, Value }): [string, string] => [Key.slice(kvPath.length), decodeText(Value)]);
  return { ...parsedRules(texts, kvPath), listed: new Set(entries.map(({ Key }) => Key)) };
}

/** Rules that were known to a former run, as if Consul had just listed them. */
export function parsedRules(texts: Iterable<readonly [string, string]>, kvPath: string): Parsed<Rules> {
  const rules = [...texts].toSorted(([a], [b]) => compare(a, b));
  const listed = new Set(rules.map(([key]) => `${kvPath}${key}`));
  return { value: new Map(rules), digest: digest(rules), listed };
}

/** `/v1/catalog/service/…` → instances. */
export function parseCatalog(body: Buffer, service: string): Parsed<readonly Instance[]> {
  const entries = parse(catalogEntries, body, `service ${service}`);
  return parsedInstances(
    entries.map((entry) => ({
      address: entry.ServiceAddress || entry.Address,
      port: validPort(entry.ServicePort),
      tags: [...(entry.ServiceTags ?? [])],
      node: entry.Node,
    })),
  );
}

/** `/v1/health/service/…` → instances. */
export function parseHealth(body: Buffer, service: string): Parsed<readonly Instance[]> {
  const entries = parse(healthEntries, body, `service ${service}`);
  return parsedInstances(
    entries.map(({ Node, Service }) => ({
      address: Service.Address || Node.Address,
      port: validPort(Service.Port),
      tags: [...(Service.Tags ?? [])],
      node: Node.Node,
    })),
  );
}

const access = z.array(z.object({ Resource: z.string(), Segment: z.string(), Allow: z.boolean() }));

/** `/v1/internal/acl/authorize` → each thing asked for, and whether it is allowed. */
export const parseAccess = (body: Buffer): z.infer<typeof access> =>
  parse(access, body, 'the permissions of the token');

/** The same for a service. */
export function parsedInstances(instances: readonly Instance[]): Parsed<readonly Instance[]> {
  const sorted = instances
    .map((instance) => ({ ...instance, tags: instance.tags.toSorted(compare) }))
    .map((instance) => ({ instance, order: JSON.stringify(instance) }))
    .toSorted((a, b) => compare(a.order, b.order))
    .map(({ instance }) => instance);
  return { value: sorted, digest: digest(sorted), listed: new Set(sorted.map(({ node }) => node)) };
}

function parse<T>(schema: z.ZodType<T>, body: Buffer, what: string): T {
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

/** Consul takes any number; what is no port is like none. */
const validPort = (number: number): number => (number >= 0 && number <= 65_535 ? number : 0);

const digest = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('base64');

/** By UTF-16 code unit: the same on every machine. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
