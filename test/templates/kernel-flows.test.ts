/**
 * Busy flows while rules are loaded again and again. Rules that come with a set in one transaction are in
 * force an instant before the set answers: no flow that is still granted may be reset for that, and none
 * whose rule went away may go on.
 */
import { beforeAll, expect, it } from 'vitest';
import { withFacts } from '../../src/features/egress/facts.ts';
import { NO_FACTS, netns, PORT, useFixture } from './fixture.ts';
import { renderWith, ruleSet } from './rules.ts';

/** With a template that resets in that instant, a few of them lose all flows. */
const RELOADS = 40;
const LEAVING = PORT + 1;

const fixture = await useFixture();

beforeAll(async () => {
  await fixture.agents.granted.serve(LEAVING);
});

/** Loads what grants these ports in both families, by a text that no other `round` has. */
async function grant(round: number, ...ports: readonly number[]): Promise<void> {
  const { ipv4, ipv6 } = fixture.granted;
  const granted = [`${ipv4}:tcp/${ports}`, `[${ipv6}]:tcp/${ports}`];
  const others = Array.from({ length: 200 }, (_, index) => `10.${round}.${index}.1:tcp/${1 + (index % 9)}`);
  const { text } = renderWith('nftables', { allowed: ruleSet(...granted, ...others) });
  const { exitCode, stderr } = await netns(fixture.workload, 'load egress', withFacts(text, NO_FACTS));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
}

async function startFlows(name: string, port: number): Promise<void> {
  for (const family of ['ipv4', 'ipv6'] as const) {
    expect(await fixture.agents.workload.busy(name, 4, fixture.granted[family], port)).toBe('connected');
  }
}

/** Echoes of each flow by now; why it ended is no number. */
const echoes = async (name: string): Promise<readonly number[]> =>
  (await fixture.agents.workload.echoes(name)).split(' ').map(Number);

/** Every flow of that name is there and has one more echo than now. */
async function goOn(name: string): Promise<void> {
  const before = await echoes(name);
  const more = async () => (await echoes(name)).every((count, flow) => count > (before[flow] ?? 0));
  await expect.poll(more, { timeout: 20_000 }).toBe(true);
}

it('no flow is reset that each text grants', async () => {
  await grant(0, PORT);
  await startFlows('granted', PORT);
  for (let round = 1; round <= RELOADS; round += 1) await grant(round, PORT);
  expect(await fixture.agents.workload.echoes('granted')).not.toContain('E');
  await goOn('granted');
});

it('nothing of a flow passes once its rule is gone, and it is reset', async () => {
  await grant(0, PORT, LEAVING);
  await startFlows('staying', PORT);
  await startFlows('leaving', LEAVING);
  await goOn('leaving');
  await grant(1, PORT);
  const before = await echoes('leaving');
  const most: number[] = [];
  const ends = async () => {
    const now = await echoes('leaving');
    most.push(...now.map((count, flow) => count - (before[flow] ?? 0)).filter(Number.isFinite));
    return fixture.agents.workload.echoes('leaving');
  };
  await expect.poll(ends, { timeout: 30_000 }).toMatch(/^(ECONNRESET ?){8}$/);
  // One echo may have been on its way to whoever awaits it.
  expect(Math.max(...most)).toBeLessThanOrEqual(1);
  await goOn('staying');
});
