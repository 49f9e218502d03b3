/**
 * The queries to Consul: the folder of the rules, one service, or a table of the catalog. Results are parsed and
 * checked for completeness.
 *
 * ACLs make it hard to know whether a result is complete: Consul 1.8 answers a token without permission with an empty
 * list and no sign of it (tried: 404 for a KV folder, `[]` for a service); later versions set a header. So a query
 * also asks Consul's authorize endpoint whether the token may read what is missing.
 */
import type { Direction } from '../../common/direction.ts';
import { ConsulError } from '../../common/errors.ts';
import { type Instance, type ServiceRef, serviceName } from '../../inventory/service.ts';
import type { ConsulClient, ReadMode, Reply, Request } from './client.ts';
import type { Settings } from './options.ts';
import { type Parsed, parseInstances, parseRules, type Rules } from './parse.ts';
import { type Permission, requirePermissions } from './permissions.ts';
import { named } from './setting-names.ts';

export interface QueryResult<T> extends Parsed<T>, Pick<Reply, 'leaderKnown' | 'lastContact'> {
  readonly index: bigint;
}

export interface Query<T> {
  /** For messages: `the rules below egress/acl/`, `service postgresql@dc2`. */
  readonly name: string;
  /** For messages: how to confirm an empty result after Consul has lost its history. */
  readonly confirmation: string;
  execute(mode: ReadMode, signal: AbortSignal): Promise<QueryResult<T>>;
  /**
   * Fails if ACLs forbid the token to read what `result` lacks: entries that were listed before (`missing`), or
   * everything if nothing is listed.
   */
  checkPermissions(result: Parsed<T>, missing: readonly string[], signal: AbortSignal): Promise<void>;
}

/** The tables of Consul's catalog that make up services; each has an index of its own. */
export type Table = 'services' | 'nodes' | 'checks';

export function rulesQuery(client: ConsulClient, direction: Direction = 'egress'): Query<Rules> {
  const kvPath = rulesFolder(client.settings, direction);
  const { datacenter } = client.settings;
  const name = `the rules below ${kvPath}`;
  const request: Request = ({ kv }, common) => kv.get({ ...common, key: kvPath, recurse: true });
  return {
    name,
    confirmation: `write any key below it, if only with \`consul kv put ${kvPath}\``,
    execute: reader({ client, name, datacenter, nothing: '[]' }, request, (body) => parseRules(body, kvPath)),
    checkPermissions: (_result, missing, signal) => {
      const keys = [kvPath, ...missing.filter((key) => key !== kvPath)];
      const wanted = keys.map((segment): Permission => ({ resource: 'key', segment }));
      return requirePermissions(client, { wanted, purpose: name, datacenter, signal });
    },
  };
}

export const rulesFolder = (
  { kvPath, ingressPath }: Pick<Settings, 'kvPath' | 'ingressPath'>,
  direction: Direction,
): string => (direction === 'egress' ? kvPath : ingressPath);

export function serviceQuery(client: ConsulClient, ref: ServiceRef): Query<readonly Instance[]> {
  const { health } = client.settings;
  const { service, datacenter = client.settings.datacenter } = ref;
  const name = `service ${serviceName(ref)}`;
  const request: Request = (consul, common) =>
    health === 'passing'
      ? consul.health.service({ ...common, service, passing: true })
      : consul.catalog.service.nodes({ ...common, service });
  return {
    name,
    confirmation: 'register an instance of it, which may be deregistered again',
    execute: reader({ client, name, datacenter, nothing: '[]' }, request, (body) =>
      parseInstances(body, name, health),
    ),
    checkPermissions: async ({ listed }, missing, signal) => {
      if (listed.size > 0 && missing.length === 0) return;
      const nodes = missing.map((segment): Permission => ({ resource: 'node', segment }));
      const wanted: Permission[] = [{ resource: 'service', segment: service }, ...nodes];
      await requirePermissions(client, { wanted, purpose: name, datacenter, signal });
    },
  };
}

/**
 * Watches a table for any change: the value is its index, which also changes with entries that ACLs hide. The filter
 * for nodes and checks matches none of them, because no node has an empty name.
 */
export function tableQuery(
  client: ConsulClient,
  table: Table,
  datacenter: string | undefined,
): Query<bigint> {
  const name = `the table of ${table}`;
  const filter = 'Node == ""';
  const requests: Readonly<Record<Table, Request>> = {
    services: ({ catalog }, common) => catalog.service.list(common),
    nodes: ({ catalog }, common) => catalog.node.list({ ...common, filter }),
    checks: ({ health }, common) => health.state({ ...common, filter, state: 'any' }),
  };
  return {
    name,
    confirmation: 'register any service',
    execute: async (mode, signal) => {
      const reply = await client.send({ what: name, datacenter, mode, signal }, requests[table]);
      return resultOf({ ...reply, filtered: false }, client, name, () => ({
        ...{ value: reply.index ?? 0n, digest: `${reply.index}`, listed: new Set<string>() },
      }));
    },
    checkPermissions: async () => {},
  };
}

interface Readable {
  readonly client: ConsulClient;
  /** For messages. */
  readonly name: string;
  readonly datacenter: string | undefined;
  /** The body of what does not exist, which Consul may also answer with 404. */
  readonly nothing: string;
}

/**
 * A blocking read without a change returns the same body again. Parsing and sorting it again would be most of the work
 * of an idle controller, so equal bytes are parsed once. The bytes are compared and not only the index, because
 * validation.ts checks for other content under the same index.
 */
export function reader<T>(
  { client, name, datacenter, nothing }: Readable,
  request: Request,
  parse: (body: Buffer) => Parsed<T>,
): Query<T>['execute'] {
  let last: { readonly body: Buffer; readonly parsed: Parsed<T> } | undefined;
  const parseOnce = (body: Buffer): Parsed<T> => {
    // A copy: a small body is a slice of a larger buffer, which would be kept too.
    if (!last?.body.equals(body)) last = { parsed: parse(body), body: Buffer.from(body) };
    return last.parsed;
  };
  return async (mode, signal) => {
    const reply = await client.send({ what: name, datacenter, mode, signal }, request);
    const body = reply.status === 404 ? Buffer.from(nothing) : reply.body;
    return resultOf(reply, client, name, () => parseOnce(body));
  };
}

function resultOf<T>(
  reply: Reply,
  client: ConsulClient,
  name: string,
  parse: () => Parsed<T>,
): QueryResult<T> {
  const { index, leaderKnown, lastContact, filtered } = reply;
  const { label } = client.settings.endpoint;
  if (filtered)
    throw new ConsulError(
      `Consul at ${label} hides a part of ${name} from the token: allow the token to read all of it (key_prefix, service_prefix and node_prefix "read").`,
      { permanent: true },
    );
  if (index === undefined)
    throw new ConsulError(
      `Consul at ${label} answered for ${name} without X-Consul-Index, so the answer is not from Consul: check ${named.address}, and proxies in between.`,
      { permanent: true },
    );
  return { ...parse(), index, leaderKnown, lastContact };
}
