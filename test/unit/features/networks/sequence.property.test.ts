/**
 * Random files of networks, one after another, for a Docker in memory: once a plan's steps are taken, all is as the naive
 * model says that real Engines are held against (integration/networks-model.test.ts). `EGRESSTRATOR_MODEL_SEED` makes other
 * files, `EGRESSTRATOR_MODEL_RUNS` more of them: thousands take a minute.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  ContainerForward,
  DesiredNetworks,
  HostForward,
} from '../../../../src/features/networks/model.ts';
import { planOf } from '../../../../src/features/networks/plan.ts';
import { readNetworks } from '../../../../src/features/networks/read.ts';
import type { Container } from '../../../../src/inventory/container.ts';
import { namespacesOf } from '../../../../src/inventory/namespace.ts';
import { formatPrefix, type Prefix } from '../../../../src/net/address.ts';
import { byId, container } from '../../../support/containers.ts';
import { prefix } from '../../../support/host-claims.ts';
import { end, network, networks } from '../../../support/host-inventory.ts';
import type { NaiveForward } from '../../../support/naive-networks.ts';
import { type Docker, type Held, heldAfter } from '../../../support/naive-networks-host.ts';
import { type RandomFile, randomFile, textOf } from '../../../support/networks-file.ts';
import { expected } from '../../../support/networks-host.ts';

const OWN = ['web', 'data_base', 'cache', 'proxy-1', 'proxy_1', 'nobody'];
const EMPTY: Docker = {
  ...{ nets: [], ends: [], onHost: ['database'], gateway: '10.200.0.1' },
  own: new Map(OWN.map((name, index) => [name, `10.200.0.${index + 2}`])),
};

const { EGRESSTRATOR_MODEL_SEED, EGRESSTRATOR_MODEL_RUNS } = process.env;

const step = fc.record({ file: randomFile, isEmptied: fc.boolean() });

describe('random files, one after another', () => {
  it('are in force as a naive model says', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), (steps) => {
        let docker = EMPTY;
        for (const { file, isEmptied } of steps) {
          const before = isEmptied ? EMPTY : docker;
          const held = heldAfter(file, before);
          expect(expected(inForce(file, before)), JSON.stringify(before)).toEqual(expected(held));
          docker = { ...before, nets: held.nets, ends: held.ends };
        }
      }),
      { numRuns: Number(EGRESSTRATOR_MODEL_RUNS ?? 100), seed: Number(EGRESSTRATOR_MODEL_SEED ?? 11) },
    );
  });
});

/** Once the steps of the plan were taken. */
function inForce(file: RandomFile, before: Docker): Held {
  let docker = before;
  for (let round = 0; round < 3; round++) {
    const { networks: missing, attachments } = planned(file, docker);
    const nets = missing.map(({ name, subnets: [subnet] }) => ({ name, third: thirdOf(subnet?.prefix) }));
    const ends = attachments.flatMap((one) =>
      one.addresses.map((ip) => ({ container: one.container, ip: formatPrefix(ip) })),
    );
    docker = { ...docker, nets: [...docker.nets, ...nets], ends: [...docker.ends, ...ends] };
  }
  const { networks: missing, attachments, permits, hostForwards, inner } = planned(file, docker);
  expect([missing, attachments]).toEqual([[], []]);
  const ofContainers = [...inner.values()];
  return {
    ...{ nets: docker.nets, ends: docker.ends },
    permits: permits.map(({ from, to, protocol, range: { first, last } }) => ({
      ...{ from: formatPrefix(from), to: formatPrefix(to), protocol, range: `${first}-${last}` },
    })),
    hostForwards: hostForwards.map(naiveForward),
    forwards: new Map(ofContainers.map((one) => [one.container, one.forwards.map(naiveForward)])),
    routes: new Map(
      ofContainers.map((one) => [
        one.container,
        one.routes.map(({ to, via }) => `${formatPrefix(to)} via ${formatPrefix(via)}`),
      ]),
    ),
  };
}

function planned(file: RandomFile, docker: Docker): DesiredNetworks {
  const read = readNetworks(textOf(file));
  if ('reason' in read) throw new Error(read.reason);
  const containers = byId(...containersOf(docker));
  const present = [
    network('bridge', ['10.200.0.0/16'], {
      subnets: [{ prefix: prefix('10.200.0.0/16'), gateway: prefix(docker.gateway) }],
    }),
    ...docker.nets.map(({ name, third }) => network(name, [`10.0.${third}.0/24`])),
  ];
  const host = { devices: new Set(['eth0', 'wg0']), routes: [], forwards: [4, 6] as const };
  return planOf(read, {
    ...{
      containers: containers.values(),
      namespaces: namespacesOf(containers),
      networks: networks(...present),
    },
    host,
  }).desired;
}

function containersOf({ own, ends, onHost, nets }: Docker): readonly Container[] {
  const inNetworks = [...own].map(([name, address]) => {
    const others = ends.filter((one) => one.container === name);
    return container(name, {
      networks: [end('bridge', address), ...others.map(({ ip }) => end(networkAt(ip, nets), ip))],
    });
  });
  return [
    ...inNetworks,
    ...onHost.map((name) => container(name, { network: { kind: 'host' }, networks: [] })),
  ];
}

const naiveForward = ({ device, protocol, port, to }: HostForward | ContainerForward): NaiveForward => ({
  ...{ device: device ?? '*', protocol, port: `${port}`, to: formatPrefix(to) },
});

const thirdOf = (prefix: Prefix | undefined): number =>
  prefix === undefined ? Number.NaN : Number(formatPrefix(prefix).split('.')[2]);

const networkAt = (ip: string, nets: Docker['nets']): string =>
  nets.find(({ third }) => ip.startsWith(`10.0.${third}.`))?.name ?? '';
