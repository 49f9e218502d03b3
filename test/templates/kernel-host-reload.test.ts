/**
 * While the host's rules are replaced, or a loader of them is killed, no packet passes that neither the old nor the new
 * rules let pass. A stream of datagrams looks for such a moment, to a container and to a port of Docker's proxy.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { opening, prefix } from '../support/host-claims.ts';
import { netns, PACKETS, PROGRAM } from './fixture.ts';
import { hostText, PORT, useHost } from './host-fixture.ts';

const { agents, containers, host, outside } = await useHost();

const PROXIED = PORT + 30;
const LOADS = 30;
const a1 = containers.a1.ipv4;

/** Large enough that the end of a load takes the kernel some time. */
const texts = [10_000, 20_000].map((base) =>
  hostText({
    guard: { mode: 'enforce', families: [4, 6], isBetween: false, guardsNewBridges: true },
    openings: Array.from({ length: 5_000 }, (_, index) => opening(a1, base + index)),
    proxied: ['0.0.0.0/0', '::/0'].map((at) => ({
      ...{ at: prefix(at), protocol: 'udp', port: PROXIED, from: 'nobody' },
    })),
  }),
);

const load = async (index: number): Promise<void> => {
  expect((await netns(host, 'load host', texts[index % 2])).exitCode).toBe(0);
};

/** Counts what has passed all rules. */
const COUNTING = `table inet passed {
  counter all_of_them { };
  chain forwarded { type filter hook postrouting priority 0; oifname "br-a" udp dport ${PORT} counter name all_of_them; };
  chain own { type filter hook input priority 100; udp dport ${PROXIED} counter name all_of_them; };
}`;

const passed = async (): Promise<number> => {
  const { stdout } = await host.run('nft', ['list', 'counter', 'inet', 'passed', 'all_of_them']);
  return Number(/packets (\d+)/.exec(stdout)?.[1]);
};

/** Returns how many datagrams were sent while this worked. */
async function streaming(work: () => Promise<void>): Promise<number> {
  const [command = '', ...inside] = outside.prefix;
  const targets = [a1, String(PORT), host.ipv4, String(PROXIED)];
  const stream = spawn(command, [...inside, 'perl', PACKETS, 'stream', ...targets], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await work();
  } finally {
    stream.kill();
  }
  return Number(await text(stream.stdout));
}

beforeAll(async () => {
  await host.run('nft', ['-f', '-'], { input: COUNTING });
  await streaming(() => sleep(200));
  expect(await passed()).toBeGreaterThan(0);
  await load(0);
});

beforeEach(async () => {
  await host.run('nft', ['reset', 'counters']);
});

it('rules that are replaced are never open between', async () => {
  const sent = await streaming(async () => {
    for (let index = 0; index < LOADS; index += 1) await load(index + 1);
  });
  expect(sent).toBeGreaterThan(1_000);
  expect(await passed()).toBe(0);
});

it('a loader that is killed leaves the old rules or the new ones', async () => {
  const state = async () => (await netns(host, 'state host')).stdout.split('\n');
  const digests = new Map<string, string>();
  for (const index of [0, 1]) {
    await load(index);
    const [fingerprint = '', digest = ''] = await state();
    digests.set(fingerprint, digest);
  }
  expect(digests.size).toBe(2);
  await streaming(async () => {
    for (let round = 0; round < 20; round += 1) {
      await killedLoad(texts[round % 2] ?? '', 15 * round);
      const [fingerprint = '', digest = ''] = await state();
      expect({ fingerprint, digest }).toEqual({ fingerprint, digest: digests.get(fingerprint) });
    }
  });
  expect(await passed()).toBe(0);
  expect(await agents.outside.open('x', a1, PORT)).toBe('silence');
});

/** The loader with all that it started, so also nft in its transaction. */
async function killedLoad(rules: string, ms: number): Promise<void> {
  const [command = '', ...inside] = host.prefix;
  const child: ChildProcess = spawn(command, [...inside, 'sh', PROGRAM, 'load', 'host'], {
    ...{ detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
  });
  child.stdin?.on('error', () => {}).end(rules);
  const ended = once(child, 'exit');
  await sleep(ms);
  if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  await ended;
}
