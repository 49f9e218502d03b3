/**
 * Makes each attempt twice, without rules and under them, and keeps the table of outcomes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { EngineVersion } from '../../lab/engine.ts';
import type { LogLine, RunningController } from '../support/egresstrator.ts';
import type { WorkloadOptions } from '../support/workloads.ts';
import { arrives, makeAttempt, newText, watchForLeaks } from './attackers.ts';
import type { Attempt, Setup } from './attempts.ts';
import { HeldConnection } from './held-connection.ts';
import { Table } from './table.ts';
import { type Host, openTestbed, type Testbed } from './testbed.ts';

export interface Case {
  readonly self: Host;
  readonly send: Attempt['send'];
  readonly receiver?: Attempt['receiver'];
  /** Why it gets through under rules too. */
  readonly openReason?: string | undefined;
  /** The host that makes the attempt without rules; default: `unprotected`. */
  readonly without?: Host;
}

interface Tried {
  /** Without rules. */
  readonly hasArrived: boolean;
  readonly leaks: readonly string[];
  /** What the attacker printed. */
  readonly without: string;
  readonly under: string;
}

/** The outcome in the table. */
const PASSED = 'gets through';

export class Cases implements AsyncDisposable {
  readonly table = new Table();
  readonly testbed: Testbed;
  readonly controller: RunningController;
  readonly unprotected: Host;
  readonly restricted: Host;
  readonly wide: Host;
  /** Connections of `restricted` that were opened before the rules were loaded. */
  readonly oldConnections: Readonly<Record<'TCP' | 'UDP', HeldConnection>>;
  /** The conntrack mark of granted flows of `restricted`, as it can read it itself; 1 if it cannot. */
  readonly mark: number;

  constructor(
    parts: Pick<
      Cases,
      'testbed' | 'controller' | 'unprotected' | 'restricted' | 'wide' | 'oldConnections' | 'mark'
    >,
  ) {
    this.testbed = parts.testbed;
    this.controller = parts.controller;
    this.unprotected = parts.unprotected;
    this.restricted = parts.restricted;
    this.wide = parts.wide;
    this.oldConnections = parts.oldConnections;
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

  /**
   * Without rules the attempt must succeed, or it proves nothing; then it is made again, as a busy kernel may lose a packet.
   * Under rules it must fail each time, unless `openReason` is set.
   */
  async attempt(name: string, testCase: Case): Promise<void> {
    const { openReason } = testCase;
    let tried = await this.#try(testCase);
    for (let left = 2; left > 0 && !tried.hasArrived && tried.leaks.length === 0; left -= 1)
      tried = await this.#try(testCase);
    const { leaks, hasArrived } = tried;
    this.addRow(name, leaks.length > 0, openReason, hasArrived);
    expect(hasArrived, `without rules: ${tried.without}`).toBe(true);
    if (openReason === undefined) expect(leaks, `under rules: ${tried.under}`).toEqual([]);
    else expect(leaks, `under rules: ${tried.under}`).not.toEqual([]);
  }

  async #try({ self, send, receiver = 'denied', without = this.unprotected }: Case): Promise<Tried> {
    const watching = watchForLeaks(this.testbed, self);
    const [control, under] = await Promise.all([
      makeAttempt(this.testbed, this.setup(without), send),
      makeAttempt(this.testbed, this.setup(self), send),
    ]);
    const hasArrived = await arrives(this.testbed, receiver, control.text);
    const leaks = await watching.leaks(under.text, receiver);
    return { hasArrived, leaks, without: control.output, under: under.output };
  }

  addRow(name: string, passes: boolean, openReason?: string, passesWithout = true): void {
    const under = openReason ?? PASSED.toUpperCase();
    const without = passesWithout ? PASSED : 'NOTHING ARRIVED';
    this.table.add({
      attempt: name,
      without,
      with: passes ? under : 'stopped',
      isOpen: openReason !== undefined,
    });
  }

  setup(self: Host): Setup {
    return { ...this.testbed.receivers, self, mark: this.mark };
  }

  untilLoaded(host: Host, from = 0): Promise<LogLine> {
    return loaded(this.controller, host, from);
  }

  /** Starts a container on the link, and waits until its rules are loaded. */
  async protect(name: string, acl: string, options: WorkloadOptions = {}): Promise<Host> {
    const host = await this.testbed.attacker(name, { acl, ...options });
    await this.untilLoaded(host);
    return host;
  }

  /** The number of packets with that text that `denied` has received. */
  countReceived(text: string): number {
    return this.testbed.listeners.denied.packets.filter(({ texts }) => texts.includes(text)).length;
  }

  /** Sends a text through an old connection, which must not arrive. */
  async tryOldConnection(name: 'TCP' | 'UDP'): Promise<void> {
    const text = newText();
    const watching = watchForLeaks(this.testbed, this.restricted);
    const output = await this.oldConnections[name].send(text);
    await sleep(500);
    const leaks = await watching.leaks(text, 'denied');
    this.addRow(`a ${name} connection older than the rules`, leaks.length > 0);
    expect(leaks, output).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of Object.values(this.oldConnections)) connection.close();
    await this.controller[Symbol.asyncDispose]();
    await this.testbed[Symbol.asyncDispose]();
  }
}

async function openCases(testbed: Testbed): Promise<Cases> {
  const { router } = testbed.receivers;
  await testbed.putKey(
    'router',
    ...['tcp/80', 'udp/80', 'icmp/8'].map((traffic) => `${router.ipv4}:${traffic}`),
  );
  await testbed.putKey('wide', '0.0.0.0/0:tcp', '0.0.0.0/0:udp', '::/0:tcp', `${router.ipv6}:udp/80`);
  const unprotected = await testbed.attacker('unprotected');
  const restricted = await testbed.attacker('restricted', { acl: 'router' });
  const wide = await testbed.attacker('wide', { acl: 'wide' });
  const oldConnections = {
    TCP: await connect(testbed, restricted),
    UDP: await connect(testbed, restricted, 'datagrams=1'),
  };
  const controller = await testbed.startController();
  for (const host of [restricted, wide]) await loaded(controller, host);
  const mark = await generation(testbed, restricted);
  return new Cases({ testbed, controller, unprotected, restricted, wide, oldConnections, mark });
}

/** Connects to `denied` before rules are loaded. */
async function connect(
  testbed: Testbed,
  { workload }: Host,
  ...fields: readonly string[]
): Promise<HeldConnection> {
  const to = `dst=${testbed.receivers.denied.ipv4}`;
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

/** Reads the mark as an attacker can, from a granted flow of its own. */
async function generation(testbed: Testbed, self: Host): Promise<number> {
  const { router } = testbed.receivers;
  const granted: Attempt['send'] = () => [{ method: 'udp', options: { dst: router.ipv4 } }];
  await makeAttempt(testbed, { ...testbed.receivers, self, mark: 1 }, granted);
  const { stdout } = await testbed.workloads.exec(self.workload, 'cat', '/proc/net/nf_conntrack');
  const flow = stdout.split('\n').find((line) => line.includes(`dst=${router.ipv4} `));
  return Number(/ mark=(\d+)/.exec(flow ?? '')?.[1] ?? 1);
}
