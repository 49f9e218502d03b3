/** Drivers of networks.json: containers are attached in steps, in their order. */
import { expect, it } from 'vitest';
import { attachmentDriver, networkDriver, routeDriver } from '../../../src/daemon/networks-drivers.ts';
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
    staticHolderOf: async () => undefined,
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

it('no network is made over a route of the host that has come since', async () => {
  const made: string[] = [];
  const docker = {
    find: async () => undefined,
    make: async (name: string) => void made.push(name),
    hasContainer: async () => false,
    staticHolderOf: async () => undefined,
    endOf: async () => undefined,
    attach: async () => {},
  };
  const routes = [{ device: 'wg0', prefix: prefix('10.2.0.0/16') }];
  const facts = { devices: new Set(['wg0']), routes, forwards: [4] as const };
  const driver = networkDriver(docker, { read: async () => facts });
  const make = (name: string, subnet: string) =>
    driver.apply(
      {
        ...{ name, isReleased: false, last: undefined, failures: 0, signal: new AbortController().signal },
        desired: {
          ...{ key: name, name, subnets: [{ prefix: prefix(subnet), gateway: undefined }] },
          origin: { path: `networks.${name}`, line: 1, lines: {} },
        },
      },
      'absent',
    );
  await expect(make('back', '10.2.3.0/24')).rejects.toThrow('overlaps the route 10.2.0.0/16 of this host');
  await make('front', '10.1.0.0/24');
  expect(made).toEqual(['front']);
});

it('a namespace that was made in this run is not asked for routes of ours before the first are made', async () => {
  const web = container('web');
  const namespace = namespacesOf(new Map([[web.id, web]])).get(namespaceId(web));
  if (namespace === undefined) throw new Error('no namespace');
  const lines = ['10.2.0.2 via 10.9.0.1'];
  const access = { read: async () => lines, set: async () => lines };
  const inspect = (isNew: boolean, failures: number) =>
    routeDriver(access, () => isNew).inspect({
      ...{ name: namespace.id, desired: { namespace, lines }, isReleased: false, last: undefined, failures },
      signal: new AbortController().signal,
    });
  expect(await inspect(true, 0)).toEqual({ namespace, lines: [] });
  expect(await inspect(true, 1)).toEqual({ namespace, lines });
  expect(await inspect(false, 0)).toEqual({ namespace, lines });
});
