/** Drivers of networks.json: containers are attached in steps, in their order. */
import { expect, it } from 'vitest';
import { attachmentDriver } from '../../../src/daemon/networks-drivers.ts';
import { namespaceId, namespacesOf } from '../../../src/inventory/namespace.ts';
import { container } from '../../support/containers.ts';
import { prefix } from '../../support/host-claims.ts';

it('a container has no route of ours into a network when it is attached to it', async () => {
  const web = container('web');
  const done: string[] = [];
  const docker = {
    find: async () => undefined,
    make: async () => {},
    hasContainer: async () => false,
    endOf: async () => undefined,
    attach: async () => void done.push('attached'),
  };
  const routes = {
    read: async () => [
      '10.2.0.2 via 10.9.0.1',
      '10.3.0.2 via 10.9.0.1',
      'fd00:2::/64 via fd00:9::1',
      'forward ipv4',
    ],
    set: async (_: unknown, lines: readonly string[]) => {
      done.push(...lines);
      return lines;
    },
  };
  const namespace = namespacesOf(new Map([[web.id, web]])).get(namespaceId(web));
  const desired = {
    ...{ containerId: web.id, container: 'web', network: 'back', otherNames: [], namespace },
    ...{ subnets: [prefix('10.2.0.0/24')], addresses: [prefix('10.2.0.9')] },
    origin: { path: 'ips.web', line: 1, lines: {} },
  };
  const target = { name: 'web back', desired, isReleased: false, last: undefined, failures: 0 };
  await attachmentDriver(docker, routes).apply({ ...target, signal: new AbortController().signal }, 'absent');
  expect(done).toEqual(['10.3.0.2 via 10.9.0.1', 'fd00:2::/64 via fd00:9::1', 'forward ipv4', 'attached']);
});
