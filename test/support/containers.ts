/**
 * Containers for tests, with the usual in place.
 */
import type { Container } from '../../src/inventory/container.ts';
import { parseAddress } from '../../src/net/address.ts';

/** A running workload called `name`, unless `traits` say otherwise. Its id is its name. */
export const container = (name: string, traits: Partial<Container> = {}): Container => ({
  id: name,
  name,
  running: true,
  pid: 4242,
  startedAt: '2026-01-01T00:00:00Z',
  network: { kind: 'own' },
  attachments: ['net:endpoint'],
  networks: [
    { id: 'net', name: 'net', endpoint: 'endpoint', ipv4: parseAddress('192.0.2.2'), ipv6: undefined },
  ],
  ports: [],
  canBypassRules: false,
  hasRawSockets: false,
  imageId: 'sha256:0',
  dnsConfig: { servers: [], resolvConf: undefined },
  environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=db'],
  labels: {},
  ...traits,
});

export const byId = (...containers: readonly Container[]): ReadonlyMap<string, Container> =>
  new Map(containers.map((one) => [one.id, one]));
