/**
 * What a token may read, asked ahead, for whoever wants to know before anything fails.
 */
import { ConsulClient } from './client.ts';
import { type ConsulOptions, settingsOf } from './options.ts';
import { parseAccess } from './parse.ts';

export type Rights = Readonly<Record<'keys' | 'services' | 'nodes', boolean>>;

/** A name that only a right on all services, or all nodes, can cover. */
const ANY = 'egresstrator-asks-for-any';

/** `undefined`: ACLs are off, or this Consul (before 1.7) does not tell. Fails with a `ConsulError`. */
export async function readRights(options: ConsulOptions): Promise<Rights | undefined> {
  const settings = settingsOf(options);
  const client = new ConsulClient(settings);
  try {
    const asked = [
      { resource: 'key', segment: settings.kvPath },
      { resource: 'service', segment: ANY },
      { resource: 'node', segment: ANY },
    ] as const;
    const signal = AbortSignal.timeout(settings.timeout);
    const reply = await client.authorize(asked, settings.datacenter, signal);
    if (reply.status !== 200) return undefined;
    const allowed = new Map(parseAccess(reply.body).map(({ Resource, Allow }) => [Resource, Allow]));
    const may = (resource: string) => allowed.get(resource) === true;
    return { keys: may('key'), services: may('service'), nodes: may('node') };
  } finally {
    client.close();
  }
}
