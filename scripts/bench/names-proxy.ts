/**
 * The proxy of rules by name in a process of its own, with the flags of the controller: what it takes is measured by
 * names.ts, which starts it and says what to do. Its words are JSON: `Setup`; then each message is a part's name.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { execa } from 'execa';
import { steadyNow } from '../../src/common/steady-clock.ts';
import type { NamespaceRef } from '../../src/dataplane/dataplane.ts';
import { withFacts } from '../../src/features/egress/facts.ts';
import { NOTHING_HELD } from '../../src/features/egress/name-facts.ts';
import { GrantSender } from '../../src/name-proxy/grant-sender.ts';
import { NameProxy } from '../../src/name-proxy/name-proxy.ts';
import { openSockets } from '../../src/name-proxy/open-sockets.ts';
import { hostOf } from '../../src/net/special-addresses.ts';
import { numbersOf, portClasses } from '../../src/policy/port-classes.ts';
import { renderWith } from '../../test/templates/rules.ts';
import { nameRule, policyOf } from '../../test/unit/features/names/names.ts';

export interface Setup {
  /** Names of namespaces: the workload's, and another one. */
  readonly workload: string;
  readonly other: string;
  /** Of the server that is asked. */
  readonly port: number;
  readonly grants: number;
  readonly namespaces: number;
}

/** What a part has measured: microseconds, or kB and milliseconds of a namespace. */
export type Measured = Readonly<Record<string, number>>;

const RULES = ['*.x.test@10.83.0.0/16:udp/443'];
const CLASSES = portClasses(RULES.map(nameRule));
const setup: Setup = JSON.parse(process.argv[2] ?? '');

/** As the controller does when it starts names. */
setFlagsFromString('--no-optimize-for-size');

const servers = [{ address: '127.0.0.1', port: setup.port }];
/** With limits that no question reaches. */
const proxy = new NameProxy({
  ...{ upstream: () => servers, consul: () => undefined, cgroup: undefined, now: steadyNow },
  onDefect: (error) => {
    throw error;
  },
  limits: {
    ...{ perSecond: 1_000_000, unanswered: 1_000 },
    grants: { perName: 1_000, perNamespace: 60_000 },
    fresh: { perMinute: 1_000_000, memory: 2_000 },
  },
});

const refOf = (name: string): NamespaceRef => ({
  ...{ name, sandbox: `/run/netns/${name}`, pid: 2 ** 22 + 1, containerId: 'none' },
  startedAt: new Date().toISOString(),
});

async function load(name: string, secret: Uint8Array, port: number): Promise<void> {
  const { text } = renderWith('nftables', { dns: 'names', classes: CLASSES, resolvers: [] });
  const names = { secret: Buffer.from(secret).toString('hex'), port };
  const whole = withFacts(text, { resolvers: [], attachments: [], names }, NOTHING_HELD);
  // The kernel drops questions beyond a rate that this is about to exceed.
  const input = whole.replace(/^.* limit rate over .* drop$/gm, '');
  await execa('nsenter', [`--net=/run/netns/${name}`, 'sh', 'dataplane/netns', 'load', 'egress'], { input });
}

const PARTS: Readonly<Record<string, () => Promise<Measured>>> = {
  serve: async () => {
    const names = await proxy.open('bench', { namespace: refOf(setup.workload), policy: policyOf(RULES) });
    await names.hold();
    await load(setup.workload, names.text().secret, names.port);
    names.resume(numbersOf(CLASSES));
    return {};
  },
  /** One after the other, without a question. */
  grants: async () => {
    const sockets = await openSockets(refOf(setup.other));
    const secret = new Uint8Array(16).fill(7);
    await load(setup.other, secret, sockets.port);
    const sender = new GrantSender(sockets.grants);
    sender.use({ secret, numbers: numbersOf(CLASSES) });
    const [portClass = ''] = numbersOf(CLASSES).keys();
    const grant = (number: number): Promise<boolean> => {
      const address = hostOf(4, 0x0a530000n + BigInt(number));
      return new Promise((resolve) =>
        sender.grant([{ portClass, address, grant: 360, timeout: 360 }], resolve),
      );
    };
    const before = process.threadCpuUsage();
    for (let number = 0; number < setup.grants; number++)
      if (!(await grant(number))) throw new Error('the kernel has not taken a grant');
    const { user, system } = process.threadCpuUsage(before);
    sockets.close();
    return { grant: (user + system) / setup.grants };
  },
  /** What one more namespace takes. */
  namespaces: async () => {
    const open = (index: number) =>
      proxy.open(`more ${index}`, { namespace: refOf(setup.other), policy: policyOf(RULES) });
    for (let index = 0; index < 10; index++) await open(-index);
    const before = await usedMemory();
    const started = performance.now();
    for (let index = 1; index <= setup.namespaces; index++) await open(index);
    const opening = (performance.now() - started) / setup.namespaces;
    return { opening, memory: ((await usedMemory()) - before) / setup.namespaces };
  },
};

/** In kB, of objects and buffers. What a process has resident says less: it takes places that it had before. */
async function usedMemory(): Promise<number> {
  await sleep(1_000);
  setFlagsFromString('--expose-gc');
  for (let times = 0; times < 3; times++) runInNewContext('gc()');
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1000;
}

process.on('message', (part) => {
  const run = PARTS[String(part)];
  void run?.().then((measured) => process.send?.(measured));
});
process.on('disconnect', () => process.exit());
