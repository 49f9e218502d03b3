/**
 * Reads the permissions of the token, before anything fails or if a result lacks something.
 */
import { z } from 'zod';
import { ConsulError } from '../../common/errors.ts';
import { ConsulClient } from './client.ts';
import { type ConsulOptions, settingsOf } from './options.ts';
import { parseJson } from './parse.ts';
import { named } from './setting-names.ts';

/** The permission to read one thing, as Consul's authorize endpoint takes it. */
export interface Permission {
  readonly resource: 'key' | 'service' | 'node';
  readonly segment: string;
}

interface PermissionRequest {
  readonly wanted: readonly Permission[];
  readonly datacenter?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Consul takes no more than 64 in one request (read in its source). */
const MOST = 64;

const answers = z.array(z.object({ Resource: z.string(), Segment: z.string(), Allow: z.boolean() }));

/** Undefined if ACLs are off (401), or if this Consul, before 1.7, has no such endpoint (404, 405). */
async function authorize(client: ConsulClient, { wanted, ...more }: PermissionRequest) {
  const what = 'the permissions of the token';
  const body = wanted
    .slice(0, MOST)
    .map(({ resource, segment }) => ({ Resource: resource, Access: 'read', Segment: segment }));
  const call = { what, accept: [401, 404, 405], ...more };
  const reply = await client.send(call, (consul, { token, dc, ctx, timeout }) => {
    const headers = token === undefined ? {} : { 'x-consul-token': token };
    const query = dc === undefined ? {} : { dc };
    return consul._post({ path: '/internal/acl/authorize', body, headers, query, ctx, timeout });
  });
  return reply.status === 200 ? parseJson(answers, reply.body, what) : undefined;
}

/** Fails with a `ConsulError` if the token lacks one of them. `purpose`: what they are needed for. */
export async function requirePermissions(
  client: ConsulClient,
  { purpose, ...request }: PermissionRequest & { readonly purpose: string },
): Promise<void> {
  const denied = (await authorize(client, request))?.find(({ Allow }) => !Allow);
  if (denied === undefined) return;
  const { Resource, Segment } = denied;
  throw new ConsulError(
    `Consul at ${client.settings.endpoint.label} forbids the token to read ${Resource} ${Segment}, which ${purpose} needs: set a token in ${named.token} whose policy has \`${Resource}_prefix ${JSON.stringify(Segment)} { policy = "read" }\`.`,
    { permanent: true },
  );
}

export type Permissions = Readonly<Record<'keys' | 'services' | 'nodes', boolean>>;

/** A name that only a permission for all services, or for all nodes, covers. */
const ANY = 'egresstrator-asks-for-any';

/**
 * Undefined if ACLs are off, or if this Consul (before 1.7) does not report them. Fails with a `ConsulError`.
 */
export async function readPermissions(options: ConsulOptions): Promise<Permissions | undefined> {
  const settings = settingsOf(options);
  const client = new ConsulClient(settings);
  try {
    const wanted: Permission[] = [
      { resource: 'key', segment: settings.kvPath },
      { resource: 'service', segment: ANY },
      { resource: 'node', segment: ANY },
    ];
    const found = await authorize(client, { wanted });
    const may = (resource: string) => found?.some((one) => one.Resource === resource && one.Allow) ?? false;
    return found && { keys: may('key'), services: may('service'), nodes: may('node') };
  } finally {
    client.close();
  }
}
