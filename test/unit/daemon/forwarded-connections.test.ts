/** Which connections end when forwards change. */
import { expect, it } from 'vitest';
import { ForwardedConnections } from '../../../src/daemon/forwarded-connections.ts';
import { FakeLog } from '../../support/fakes.ts';
import { forward } from '../../support/host-claims.ts';

const WEB = forward(80, '172.18.0.2', 8080);
const DNS = forward(53, '172.18.0.3', 53, { protocol: 'udp' });
const MOVED = forward(53, '172.18.0.4', 53, { protocol: 'udp' });

function setup(kernel: readonly string[] = []) {
  const ended: string[][] = [];
  let fails = false;
  const connections = new ForwardedConnections(
    {
      loadedForwards: async () => kernel,
      endConnections: async (lines) => {
        if (fails) throw new Error('no conntrack');
        ended.push([...lines].sort());
      },
    },
    new FakeLog(),
  );
  const load = async (...forwards: readonly (typeof WEB)[]) => {
    await connections.beforeLoad();
    connections.loaded(forwards);
    await connections.idle();
  };
  const fail = (value: boolean) => {
    fails = value;
  };
  return { load, ended, connections, fail };
}

it('ends those of forwards that are gone, also of an earlier run', async () => {
  const { load, ended } = setup(['tcp 80 172.18.0.2 8080']);
  await load(WEB);
  expect(ended).toEqual([]);
  await load();
  expect(ended).toEqual([['tcp 80 172.18.0.2 8080']]);
});

it('ends streams of datagrams that began before their forward, and those to an earlier target', async () => {
  const { load, ended } = setup();
  await load(WEB, DNS);
  await load(WEB, MOVED);
  await load(WEB, MOVED);
  expect(ended).toEqual([['udp 53'], ['udp 53', 'udp 53 172.18.0.3 53']]);
});

it('tries again with the next load, and says why it failed', async () => {
  const { load, ended, connections, fail } = setup();
  await load(WEB, DNS);
  fail(true);
  await load(DNS);
  expect(connections.problems).toEqual([{ severity: 'warning', reason: 'no conntrack' }]);
  fail(false);
  await load(DNS);
  expect(ended).toEqual([['udp 53'], ['tcp 80 172.18.0.2 8080']]);
  expect(connections.problems).toEqual([]);
});
