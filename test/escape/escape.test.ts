/**
 * Attempts to bypass the rules, made from inside a container with Docker's default capabilities, under the real
 * controller and the default template, towards containers that record all packets that arrive.
 * Without rules the same attempt must succeed, or it proves nothing.
 *
 * EGRESSTRATOR_ESCAPE_ENGINE chooses the Engine: `host` (default), `20.10`, `28.5`.
 */
import { randomUUID } from 'node:crypto';
import { release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineVersion } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { foreignRules } from '../support/kernel.ts';
import { arrives, makeAttempt, newText } from './attackers.ts';
import { type Attempt, attempts, plainFrame, plainTcp, plainUdp, unbridged, xdpFrame } from './attempts.ts';
import { Cases } from './cases.ts';
import { type Host, hostOf, TOOLS } from './testbed.ts';

const engines: Readonly<Record<string, EngineVersion>> = { host: 'host', '20.10': '20.10', '28.5': '28.5' };
const engine = engines[process.env.EGRESSTRATOR_ESCAPE_ENGINE ?? 'host'] ?? 'host';

let cases: Cases;
beforeAll(async () => {
  cases = await Cases.open(engine);
});
afterAll(async () => {
  process.stdout.write(`\n${cases?.table}\n`);
  await cases?.[Symbol.asyncDispose]();
});

describe.each(attempts)('%s', (_, group) => {
  test.each(group.map((one) => [one.name, one] as const))('%s', async (name, one) => {
    if (one.notApplicable === undefined) {
      await cases.attempt(name, { ...one, self: cases[one.from ?? 'restricted'] });
    } else {
      cases.table.add({ attempt: name, without: 'not applicable here', with: one.notApplicable });
    }
  });
});

test('fragments on a link without a bridge', async () => {
  const without = await cases.testbed.attacker('connected-unprotected');
  const self = await cases.protect('connected', 'router');
  for (const host of [without, self]) await cases.testbed.connectDirectly(host);
  for (const { name, ...one } of unbridged) await cases.attempt(name, { ...one, self, without });
});

describe('older connections, shared namespaces, later networks, restarts', () => {
  test.each(['TCP', 'UDP'] as const)('a %s connection older than the rules', (name) =>
    cases.tryOldConnection(name),
  );

  test('a second container that shares the namespace', async () => {
    const network = `container:${cases.restricted.workload.id}`;
    const { workload } = await cases.testbed.attacker('shares', { network });
    const self = { ...cases.restricted, workload };
    await cases.attempt('a second container in the namespace, TCP', { self, send: plainTcp });
    await cases.attempt('a second container in the namespace, AF_PACKET', { self, send: plainFrame });
  });

  test('a container with the name and labels of a helper', async () => {
    const expires = Math.round(Date.now() / 1000) + 3_600;
    const labels = { role: 'helper', instance: 'another', expires };
    const args = Object.entries(labels).flatMap(([name, value]) => [
      '--label',
      `egresstrator.${name}=${value}`,
    ]);
    const self = await cases.protect('helper', 'router', { args });
    await cases.testbed.workloads.must('rename', self.workload.id, `egresstrator-helper-${randomUUID()}`);
    await cases.attempt('a container with the name and labels of a helper', { self, send: plainTcp });
  });

  test('a network that is attached after the start', async () => {
    const { workloads, receivers } = cases.testbed;
    const self = await cases.protect('attached', 'router');
    const network = await workloads.network('later');
    const before = cases.controller.log.length;
    for (const { workload } of [receivers.denied, cases.unprotected, self]) {
      await workloads.must('network', 'connect', network, workload.id);
    }
    const there = await hostOf(receivers.denied.workload, 'eth1');
    const two = {
      self: await hostOf(self.workload, 'eth1'),
      without: await hostOf(cases.unprotected.workload, 'eth1'),
    };
    const udp: Attempt['send'] = () => [{ method: 'udp', options: { dst: there.ipv4 } }];
    const frame: Attempt['send'] = () => [
      { method: 'frame', options: { form: 'udp', dst: there.ipv4, mac: there.mac, link: 'eth1' } },
    ];
    await cases.attempt('a network attached after the start, UDP', { ...two, send: udp });
    if (!guardsFutureDevices()) await cases.untilLoaded(self, before);
    await cases.attempt('a network attached after the start, AF_PACKET', { ...two, send: frame });
  });

  test('a restart, with a new address', async () => {
    const { workloads, receivers } = cases.testbed;
    const text = newText();
    const send = `python3 ${TOOLS}/attack.py udp dst=${receivers.denied.ipv4} text=${text} >/dev/null`;
    const command = ['sh', '-c', `while :; do ${send}; sleep 0.1; done`];
    const first = await cases.protect('restarted', 'router', { command });
    const before = cases.controller.log.length;
    await workloads.must('stop', '--time', '0', first.workload.id);
    // This container takes the free address, so that the restarted one gets another.
    await cases.testbed.attacker('filler');
    const atStart = cases.countReceived(text);
    await workloads.must('start', first.workload.id);
    await cases.untilLoaded(first, before);
    await sleep(300);
    const atLoad = cases.countReceived(text);
    process.stdout.write(
      `measured: ${atLoad - atStart} datagrams from a restart to its load, without the gate\n`,
    );
    await sleep(1_000);
    cases.addRow(
      "the container's program after a restart, once the rules are loaded",
      cases.countReceived(text) > atLoad,
    );
    expect(cases.countReceived(text)).toBe(atLoad);
    const self = await hostOf(await workloads.find('restarted'));
    expect(self.ipv4).not.toBe(first.ipv4);
    await cases.testbed.addRoutes(self);
    await cases.attempt('docker exec, after a restart with a new address', { self, send: plainUdp });
  });
});

describe('invalid values', () => {
  /** The granted key works, nothing else is allowed, and the rules of others are unchanged. */
  async function assertIgnored(name: string, acl: string): Promise<void> {
    const self = await cases.protect(name.replaceAll(/\W+/g, '-'), acl);
    await reachesRouter(self);
    await cases.attempt(`${name}, TCP`, { self, send: plainTcp });
    await cases.attempt(`${name}, AF_PACKET`, { self, send: plainFrame });
    const foreign = await foreignRules(self.workload.pid);
    expect(replaceNumbers(foreign)).toBe(replaceNumbers(await foreignRules(cases.unprotected.workload.pid)));
  }

  test('in EGRESSTRATOR_ACL', async () => {
    const words = [
      'router',
      '"; accept; "',
      '{{generation}}',
      '{{#each allowed.ipv4}}',
      '$(nft flush ruleset)',
    ];
    await assertIgnored(
      'quotes, newlines and templates in EGRESSTRATOR_ACL',
      [
        ...words,
        '}\nflush ruleset\n',
        "'\nEGRESSTRATOR_MODE=audit\nEGRESSTRATOR_ENABLE=0\n",
        '../router',
        '*',
      ].join(','),
    );
  });

  test('in the values of Consul', async () => {
    const { denied, router } = cases.testbed.receivers;
    await cases.testbed.putKey(
      'words',
      `${denied.ipv4}:tcp/80 accept`,
      `${denied.ipv4}:tcp/80 }; add rule inet egresstrator_egress output accept; add set inet egresstrator_egress x {`,
      '0.0.0.0/0:tcp/80"; accept; comment "',
      '} }',
      'flush ruleset',
      'include "/etc/passwd"',
      'define generation = 0',
      '{{generation}} {{#if audit}}accept{{/if}}',
      '#!iptables-restore',
      '*filter',
      ':OUTPUT ACCEPT [0:0]',
      '-A OUTPUT -j ACCEPT',
      'COMMIT',
      '# end',
      '$(nft flush ruleset) `nft flush ruleset`',
      '\u0000\u2028accept',
      `${router.ipv4}:udp/80`,
    );
    await assertIgnored('nft, iptables and shell in values of Consul', 'words');
  });

  test('in the catalog of Consul', async () => {
    const { denied, router } = cases.testbed.receivers;
    await cases.testbed.registerService('one', `${denied.ipv4} . tcp . 80, 0.0.0.0`);
    await cases.testbed.registerService('two', '0.0.0.0/0');
    await cases.testbed.registerService('three', `${denied.ipv4}\n} accept`);
    await cases.testbed.putKey('services', 'one', 'two', 'three', `${router.ipv4}:udp/80`);
    await assertIgnored('nft in the addresses of services', 'services');
  });
});

describe('AF_XDP', () => {
  test('bypasses all rules if a workload has CAP_NET_RAW, and that is reported', async () => {
    const openReason = 'reported; the gate removes CAP_NET_RAW, which stops it';
    await cases.attempt('AF_XDP, without the gate', { self: cases.restricted, send: xdpFrame, openReason });
    await cases.controller.logged((line) => JSON.stringify(line).includes('CAP_NET_RAW'), 'raw sockets');
    expect(await hasRawSockets(cases.restricted)).toBe(true);
  });

  test.each([
    ['AF_XDP, without CAP_NET_RAW, as the gate leaves it', ['--cap-drop', 'NET_RAW']],
    ['AF_XDP, under --ulimit memlock=0', ['--ulimit', 'memlock=0:0']],
  ])('%s', async (name, args) => {
    const self = await cases.protect(name.replaceAll(/\W+/g, '-'), 'router', { args });
    await cases.attempt(name, { self, send: xdpFrame });
    expect(await hasRawSockets(self)).toBe(!args.includes('NET_RAW'));
  });
});

/** As `status` shows it. */
async function hasRawSockets({ workload }: Host): Promise<boolean | undefined> {
  const { namespaces } = await cases.controller.status();
  return namespaces.find(({ target }) => target === workload.name)?.hasRawSockets;
}

/** Waits until the granted key works: a new key may arrive from Consul after the container's first load. */
function reachesRouter(self: Host): Promise<boolean> {
  const { router } = cases.testbed.receivers;
  const look = async () => {
    const send: Attempt['send'] = () => [{ method: 'udp', options: { dst: router.ipv4 } }];
    const { output, text } = await makeAttempt(cases.testbed, cases.setup(self), send);
    return output === 'sent' && arrives(cases.testbed, 'router', text);
  };
  return waitFor(look, { what: 'what is granted', timeout: 60_000 });
}

/** Docker's resolver listens on different ports in each namespace. */
const replaceNumbers = (rules: string): string => rules.replaceAll(/\d+/g, '#');

/** Since 6.16 a chain may name devices that do not exist yet. */
function guardsFutureDevices(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 16);
}
