/**
 * Ways round the rules, each tried in earnest: from inside a container with Docker's default capabilities,
 * under the real controller and the template that ships, towards containers that hear all that arrives.
 * Without rules the same attempt must succeed, or it would prove nothing.
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
import { arrives, make, newText } from './attackers.ts';
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
      await cases.attempt(name, { ...one, self: cases[one.by ?? 'held'] });
    } else {
      cases.table.add({ attempt: name, without: 'not applicable here', with: one.notApplicable });
    }
  });
});

test('fragments on a link without a bridge', async () => {
  const without = await cases.testbed.attacker('wired-free');
  const self = await cases.protect('wired', 'router');
  for (const host of [without, self]) await cases.testbed.wire(host);
  for (const { name, ...one } of unbridged) await cases.attempt(name, { ...one, self, without });
});

describe('from before, from beside, from later', () => {
  test.each(['TCP', 'UDP'] as const)('a %s connection that is older than the rules', (name) =>
    cases.speak(name),
  );

  test('a second container that shares the namespace', async () => {
    const network = `container:${cases.held.workload.id}`;
    const { workload } = await cases.testbed.attacker('shares', { network });
    const self = { ...cases.held, workload };
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
    const { workloads, places } = cases.testbed;
    const self = await cases.protect('attached', 'router');
    const network = await workloads.network('later');
    const before = cases.controller.log.length;
    for (const { workload } of [places.denied, cases.free, self]) {
      await workloads.must('network', 'connect', network, workload.id);
    }
    const there = await hostOf(places.denied.workload, 'eth1');
    const two = {
      self: await hostOf(self.workload, 'eth1'),
      without: await hostOf(cases.free.workload, 'eth1'),
    };
    const udp: Attempt['send'] = () => [{ way: 'udp', fields: { dst: there.ipv4 } }];
    const frame: Attempt['send'] = () => [
      { way: 'frame', fields: { form: 'udp', dst: there.ipv4, mac: there.mac, link: 'eth1' } },
    ];
    await cases.attempt('a network attached after the start, UDP', { ...two, send: udp });
    if (!guardsDevicesToCome()) await cases.isLoaded(self, before);
    await cases.attempt('a network attached after the start, AF_PACKET', { ...two, send: frame });
  });

  test('a restart, with a new address', async () => {
    const { workloads, places } = cases.testbed;
    const text = newText();
    const shout = `python3 ${TOOLS}/attack.py udp dst=${places.denied.ipv4} text=${text} >/dev/null`;
    const command = ['sh', '-c', `while :; do ${shout}; sleep 0.1; done`];
    const first = await cases.protect('restarted', 'router', { command });
    const before = cases.controller.log.length;
    await workloads.must('stop', '--time', '0', first.workload.id);
    // Takes the address that was free, so that it gets another.
    await cases.testbed.attacker('filler');
    const atStart = cases.heard(text);
    await workloads.must('start', first.workload.id);
    await cases.isLoaded(first, before);
    await sleep(300);
    const atLoad = cases.heard(text);
    process.stdout.write(
      `measured: ${atLoad - atStart} datagrams from a restart to its load, without the gate\n`,
    );
    await sleep(1_000);
    cases.add(
      "the container's own program, restarted, once the rules are loaded",
      cases.heard(text) > atLoad,
    );
    expect(cases.heard(text)).toBe(atLoad);
    const self = await hostOf(await workloads.find('restarted'));
    expect(self.ipv4).not.toBe(first.ipv4);
    await cases.testbed.lay(self);
    await cases.attempt('docker exec, after a restart with a new address', { self, send: plainUdp });
  });
});

describe('words that are none', () => {
  /** What is granted is granted, nothing else is, and what is not ours is as it was. */
  async function saysNothing(name: string, acl: string): Promise<void> {
    const self = await cases.protect(name.replaceAll(/\W+/g, '-'), acl);
    await reachesRouter(self);
    await cases.attempt(`${name}, TCP`, { self, send: plainTcp });
    await cases.attempt(`${name}, AF_PACKET`, { self, send: plainFrame });
    const foreign = await foreignRules(self.workload.pid);
    expect(withoutNumbers(foreign)).toBe(withoutNumbers(await foreignRules(cases.free.workload.pid)));
  }

  test('in EGRESSTRATOR_ACL', async () => {
    const words = [
      'router',
      '"; accept; "',
      '{{generation}}',
      '{{#each allowed.ipv4}}',
      '$(nft flush ruleset)',
    ];
    await saysNothing(
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
    const { denied, router } = cases.testbed.places;
    await cases.testbed.key(
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
    await saysNothing('nft, iptables and shell in values of Consul', 'words');
  });

  test('in the catalog of Consul', async () => {
    const { denied, router } = cases.testbed.places;
    await cases.testbed.service('one', `${denied.ipv4} . tcp . 80, 0.0.0.0`);
    await cases.testbed.service('two', '0.0.0.0/0');
    await cases.testbed.service('three', `${denied.ipv4}\n} accept`);
    await cases.testbed.key('services', 'one', 'two', 'three', `${router.ipv4}:udp/80`);
    await saysNothing('nft in the addresses of services', 'services');
  });
});

describe('AF_XDP', () => {
  test('passes by all rules where a workload holds CAP_NET_RAW, and that is reported', async () => {
    const open = 'reported; the gate takes CAP_NET_RAW, and then it is stopped';
    await cases.attempt('AF_XDP, without the gate', { self: cases.held, send: xdpFrame, open });
    await cases.controller.logged((line) => JSON.stringify(line).includes('CAP_NET_RAW'), 'raw sockets');
    expect(await hasRawSockets(cases.held)).toBe(true);
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

/** As the status tells it. */
async function hasRawSockets({ workload }: Host): Promise<boolean | undefined> {
  const { namespaces } = await cases.controller.status();
  return namespaces.find(({ target }) => target === workload.name)?.hasRawSockets;
}

/** Consul may tell of a new key after the container's first load. */
function reachesRouter(self: Host): Promise<boolean> {
  const { router } = cases.testbed.places;
  const look = async () => {
    const send: Attempt['send'] = () => [{ way: 'udp', fields: { dst: router.ipv4 } }];
    const { said, text } = await make(cases.testbed, cases.setup(self), send);
    return said === 'sent' && arrives(cases.testbed, 'router', text);
  };
  return waitFor(look, { what: 'what is granted', timeout: 15_000 });
}

/** Docker's resolver listens at other ports in each namespace. */
const withoutNumbers = (rules: string): string => rules.replaceAll(/\d+/g, '#');

/** Since 6.16 a chain may name devices that do not exist yet. */
function guardsDevicesToCome(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 16);
}
