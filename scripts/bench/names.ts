/**
 * What names cost: the time of a question, the processor time of the process that answers, and the memory of a
 * namespace. The floor is dnsmasq, which passes the same questions on to the same server, without rules or grants.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { ensureCommands, ensureFiles } from '../../lab/apt.ts';
import { createNamespaces, type Namespace } from '../../lab/netns.ts';
import { freePorts } from '../../lab/ports.ts';
import { steadyNow } from '../../src/common/steady-clock.ts';
import type { NamespaceRef } from '../../src/dataplane/dataplane.ts';
import { withFacts } from '../../src/features/egress/facts.ts';
import { type NameFacts, NOTHING_HELD } from '../../src/features/egress/name-facts.ts';
import { NameProxy } from '../../src/name-proxy/name-proxy.ts';
import type { NamespaceNames } from '../../src/name-proxy/namespace-names.ts';
import { numbersOf, portClasses } from '../../src/policy/port-classes.ts';
import { renderWith } from '../../test/templates/rules.ts';
import { nameRule, policyOf } from '../../test/unit/features/names/names.ts';
import type { Figure } from './measure.ts';

const RULES = ['*.x.test:tcp/443'];
const CLASSES = portClasses(RULES.map(nameRule));
/** A resolver that no packet reaches: questions to it are redirected. */
const ELSEWHERE = '198.51.100.53';
/** Questions at once, where the time of one does not matter. */
const OPEN = 50;
const NAMESPACES = 50;

interface Asked {
  /** Microseconds from one answer to the next. */
  readonly time: number;
  /** Microseconds of this process. */
  readonly processor: number;
}

/** `count`: questions of each kind. */
export async function benchNames(count: number): Promise<readonly Figure[]> {
  await ensureCommands({ tcc: 'tcc', dnsmasq: 'dnsmasq-base', ip: 'iproute2', nft: 'nftables' });
  await ensureFiles({ '/usr/include/stdio.h': 'libc6-dev' });
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-bench-'));
  const client = join(folder, 'names');
  await execa('tcc', ['-Wall', '-o', client, join(import.meta.dirname, 'names.c')]);
  const [port = 0, forwarder = 0] = await freePorts(2);
  const children = [
    spawn(client, ['serve', `${port}`], { stdio: 'ignore' }),
    startForwarder(forwarder, port),
  ];
  await using set = await createNamespaces(2);
  const [workload, other] = set.namespaces;
  if (workload === undefined || other === undefined) throw new Error('too few namespaces');
  const proxy = openProxy(port);
  try {
    await workload.run('ip', ['route', 'add', 'default', 'via', other.ipv4]);
    await serve(proxy, workload);
    return [
      ...(await askAll({ count, client, workload, forwarder })),
      ...(await measureNamespaces(proxy, other)),
    ];
  } finally {
    proxy.closeAll();
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true });
  }
}

/** With limits that no question reaches. */
const openProxy = (port: number): NameProxy =>
  new NameProxy({
    ...{ upstream: () => [{ address: '127.0.0.1', port }], consul: () => undefined, cgroup: undefined },
    now: steadyNow,
    onDefect: (error) => {
      throw error;
    },
    limits: {
      ...{ perSecond: 1_000_000, unanswered: 1_000 },
      grants: { perName: 1_000, perNamespace: 1_000_000 },
      fresh: { perMinute: 1_000_000, memory: 2_000 },
    },
  });

const startForwarder = (port: number, upstream: number): ChildProcess =>
  spawn(
    'dnsmasq',
    [
      ...['--keep-in-foreground', '--no-hosts', '--no-resolv', '--conf-file=/dev/null', '--bind-interfaces'],
      ...['--listen-address=127.0.0.1', `--port=${port}`, `--server=127.0.0.1#${upstream}`, '--pid-file='],
      ...['--dns-forward-max=1000', '--cache-size=0'],
    ],
    { stdio: 'ignore' },
  );

const refOf = ({ name }: Namespace): NamespaceRef => ({
  ...{ name, sandbox: `/run/netns/${name}`, pid: 2 ** 22 + 1, containerId: 'none' },
  startedAt: new Date().toISOString(),
});

async function serve(proxy: NameProxy, workload: Namespace): Promise<NamespaceNames> {
  const names = await proxy.open('bench', { namespace: refOf(workload), policy: policyOf(RULES) });
  await names.hold();
  const facts: NameFacts = { secret: Buffer.from(names.text().secret).toString('hex'), port: names.port };
  const { text } = renderWith('nftables', { dns: 'names', classes: CLASSES, resolvers: [] });
  const complete = withFacts(text, { resolvers: [], attachments: [], names: facts }, NOTHING_HELD);
  await workload.run('sh', ['dataplane/netns', 'load', 'egress'], { input: complete });
  names.resume(numbersOf(CLASSES));
  return names;
}

interface Setup {
  readonly count: number;
  readonly client: string;
  readonly workload: Namespace;
  readonly forwarder: number;
}

async function askAll({ count, client, workload, forwarder }: Setup): Promise<readonly Figure[]> {
  const ours = (...how: readonly string[]) =>
    measure(
      () => workload.run(client, ['ask', ELSEWHERE, '53', `${count}`, ...how], { timeout: 300_000 }),
      count,
    );
  const theirs = (...how: readonly string[]) =>
    measure(() => execa(client, ['ask', '127.0.0.1', `${forwarder}`, `${count}`, ...how]), count);
  const figures: Figure[] = [];
  for (const [what, ...how] of [
    ['a new name, with its grant', 'new', 'fresh'],
    ['a known name', 'known'],
  ] as const) {
    const [value, floor] = [await ours('1', ...how), await theirs('1', ...how)];
    figures.push(figureOf(`${what}, one after the other`, value.time, floor.time));
    const many = await ours(`${OPEN}`, `many${how[0]}`, ...how.slice(1));
    figures.push({
      ...{ group: 'names', what: `${what}, processor time`, unit: 'µs', value: many.processor, most: 100 },
    });
  }
  return figures;
}

const figureOf = (what: string, value: number, floor: number): Figure => ({
  ...{ group: 'names', what, unit: 'µs', value, floor, floorName: 'dnsmasq, without a cache', target: '≤ 3' },
});

async function measure(run: () => Promise<{ readonly stdout: string }>, count: number): Promise<Asked> {
  const before = process.cpuUsage();
  const [time = 0, failed = 0] = (await run()).stdout.split(' ').map(Number);
  const { user, system } = process.cpuUsage(before);
  if (failed > 0) throw new Error(`${failed} of ${count} questions had no address`);
  return { time, processor: (user + system) / count };
}

/** What one more namespace takes. */
async function measureNamespaces(proxy: NameProxy, namespace: Namespace): Promise<readonly Figure[]> {
  const open = (index: number) =>
    proxy.open(`more ${index}`, { namespace: refOf(namespace), policy: policyOf(RULES) });
  await open(-1);
  const before = residentMemory();
  const started = performance.now();
  for (let index = 0; index < NAMESPACES; index++) await open(index);
  const each = (performance.now() - started) / NAMESPACES;
  await sleep(1_000);
  const memory = (residentMemory() - before) / NAMESPACES;
  return [
    { group: 'names', what: 'memory of a namespace', unit: 'kB', value: memory, most: 150 },
    { group: 'names', what: 'sockets of a namespace, opened', unit: 'ms', value: each },
  ];
}

/** In kB. */
const residentMemory = (): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
