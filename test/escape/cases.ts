/**
 * Makes each attempt twice, without rules and under them, and keeps the table of what became of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { EngineVersion } from '../../lab/engine.ts';
import type { LogLine, RunningController } from '../support/egresstrator.ts';
import type { WorkloadOptions } from '../support/workloads.ts';
import { arrives, make, newText, watch } from './attackers.ts';
import type { Attempt, Setup } from './attempts.ts';
import { HeldConnection } from './held-connection.ts';
import { Table } from './table.ts';
import { type Host, openTestbed, type Testbed } from './testbed.ts';

export interface Case {
  readonly self: Host;
  readonly send: Attempt['send'];
  readonly heardBy?: Attempt['heardBy'];
  /** Why it gets through under rules as well. */
  readonly open?: string | undefined;
  /** Who tries without rules; default: `free`. */
  readonly without?: Host;
}

/** In the table. */
const PASSES = 'gets through';

export class Cases implements AsyncDisposable {
  readonly table = new Table();
  readonly testbed: Testbed;
  readonly controller: RunningController;
  readonly free: Host;
  readonly held: Host;
  readonly wide: Host;
  /** Connections of `held` from before there were rules. */
  readonly early: Readonly<Record<'TCP' | 'UDP', HeldConnection>>;
  /** The mark of flows of `held` that are granted, as it found out itself; 1 if it could not. */
  readonly mark: number;

  constructor(parts: Pick<Cases, 'testbed' | 'controller' | 'free' | 'held' | 'wide' | 'early' | 'mark'>) {
    this.testbed = parts.testbed;
    this.controller = parts.controller;
    this.free = parts.free;
    this.held = parts.held;
    this.wide = parts.wide;
    this.early = parts.early;
    this.mark = parts.mark;
  }

  static async open(version: EngineVersion): Promise<Cases> {
    const testbed = await openTestbed(version);
    try {
      return await openCases(testbed);
    } catch (error) {
      await testbed[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Without rules it must succeed, or it proves nothing; under them it must not, unless it says so. */
  async attempt(name: string, testCase: Case): Promise<void> {
    const { self, send, heardBy = 'denied', open, without = this.free } = testCase;
    const watching = watch(this.testbed, self);
    const [control, under] = await Promise.all([
      make(this.testbed, this.setup(without), send),
      make(this.testbed, this.setup(self), send),
    ]);
    const isTold = await arrives(this.testbed, heardBy, control.text);
    const leaks = await watching.leaks(under.text, heardBy);
    this.add(name, leaks.length > 0, open, isTold);
    expect(isTold, `without rules: ${control.said}`).toBe(true);
    if (open === undefined) expect(leaks, `under rules: ${under.said}`).toEqual([]);
    else expect(leaks, `under rules: ${under.said}`).not.toEqual([]);
  }

  add(name: string, passes: boolean, open?: string, passesWithout = true): void {
    const under = open ?? PASSES.toUpperCase();
    const without = passesWithout ? PASSES : 'NOTHING CAME';
    this.table.add({ attempt: name, without, with: passes ? under : 'stopped', isOpen: open !== undefined });
  }

  setup(self: Host): Setup {
    return { ...this.testbed.places, self, mark: this.mark };
  }

  isLoaded(host: Host, from = 0): Promise<LogLine> {
    return loaded(this.controller, host, from);
  }

  /** A container on the link, once its rules are loaded. */
  async protect(name: string, acl: string, options: WorkloadOptions = {}): Promise<Host> {
    const host = await this.testbed.attacker(name, { acl, ...options });
    await this.isLoaded(host);
    return host;
  }

  /** How many packets with that text `denied` has heard. */
  heard(text: string): number {
    return this.testbed.listeners.denied.packets.filter(({ texts }) => texts.includes(text)).length;
  }

  /** What an old connection still brings. */
  async speak(name: 'TCP' | 'UDP'): Promise<void> {
    const text = newText();
    const watching = watch(this.testbed, this.held);
    const said = await this.early[name].send(text);
    await sleep(500);
    const leaks = await watching.leaks(text, 'denied');
    this.add(`a ${name} connection that is older than the rules`, leaks.length > 0);
    expect(leaks, said).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of Object.values(this.early)) connection.close();
    await this.controller[Symbol.asyncDispose]();
    await this.testbed[Symbol.asyncDispose]();
  }
}

async function openCases(testbed: Testbed): Promise<Cases> {
  const { router } = testbed.places;
  await testbed.key(
    'router',
    ...['tcp/80', 'udp/80', 'icmp/8'].map((traffic) => `${router.ipv4}:${traffic}`),
  );
  await testbed.key('wide', '0.0.0.0/0:tcp', '0.0.0.0/0:udp', '::/0:tcp', `${router.ipv6}:udp/80`);
  const free = await testbed.attacker('free');
  const held = await testbed.attacker('held', { acl: 'router' });
  const wide = await testbed.attacker('wide', { acl: 'wide' });
  const early = { TCP: await connect(testbed, held), UDP: await connect(testbed, held, 'datagrams=1') };
  const controller = await testbed.control();
  for (const host of [held, wide]) await loaded(controller, host);
  const mark = await generation(testbed, held);
  return new Cases({ testbed, controller, free, held, wide, early, mark });
}

/** To where nobody will be allowed to connect, while there are no rules yet. */
async function connect(
  testbed: Testbed,
  { workload }: Host,
  ...fields: readonly string[]
): Promise<HeldConnection> {
  const to = `dst=${testbed.places.denied.ipv4}`;
  const connection = new HeldConnection(testbed.engine.socketPath, workload.id, [to, ...fields]);
  await connection.connected();
  const text = newText();
  await connection.send(text);
  expect(await arrives(testbed, 'denied', text)).toBe(true);
  return connection;
}

const loaded = (controller: RunningController, { workload }: Host, from = 0): Promise<LogLine> =>
  controller.logged(
    ({ msg, container }) => msg === 'rules loaded' && container === workload.name,
    `rules loaded for ${workload.name}`,
    from,
  );

/** Read as an attacker may read it, off a flow of its own that is granted. */
async function generation(testbed: Testbed, self: Host): Promise<number> {
  const { router } = testbed.places;
  const granted: Attempt['send'] = () => [{ way: 'udp', fields: { dst: router.ipv4 } }];
  await make(testbed, { ...testbed.places, self, mark: 1 }, granted);
  const { stdout } = await testbed.workloads.exec(self.workload, 'cat', '/proc/net/nf_conntrack');
  const flow = stdout.split('\n').find((line) => line.includes(`dst=${router.ipv4} `));
  return Number(/ mark=(\d+)/.exec(flow ?? '')?.[1] ?? 1);
}
