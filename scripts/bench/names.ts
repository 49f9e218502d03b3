/**
 * What names cost, without an Engine: the time of a question, the processor time of the process that answers, the time of
 * a grant, and the memory of a namespace. Beside them, of the same run, dnsmasq, which passes the same questions on to the
 * same server without rules or grants, and an echo, which is what two datagrams on loopback take.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureCommands, ensureFiles } from '../../lab/apt.ts';
import { createNamespaces, type Namespace } from '../../lab/netns.ts';
import { freePorts } from '../../lab/ports.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../src/cli/node-flags.ts';
import { type Figure, sample } from './measure.ts';
import type { Measured, Setup } from './names-proxy.ts';
import { processorTime } from './usage.ts';

/** A resolver that no packet reaches: questions to it are redirected. */
const ELSEWHERE = '198.51.100.53';
/** Questions at once, where the time of one does not matter. */
const OPEN = 50;
/** Questions until V8 has compiled what they need. */
const WARM_UP = '5000';
const GROUP = 'names';
const HERE = '127.0.0.1';

export interface NamesBench {
  /** Of each kind, in so many rounds. */
  readonly questions: number;
  readonly rounds: number;
  readonly namespaces: number;
}

/** What the program in C prints. */
export interface Asked {
  /** Microseconds. */
  readonly median: number;
  readonly p99: number;
  /** Answers a second. */
  readonly rate: number;
  readonly failed: number;
  readonly refused: number;
}

/** The program that asks and answers. The caller removes the folder. */
export async function asker(): Promise<{ readonly folder: string; readonly program: string }> {
  await ensureCommands({ tcc: 'tcc', ip: 'iproute2', nft: 'nftables', nsenter: 'util-linux' });
  await ensureFiles({ '/usr/include/stdio.h': 'libc6-dev' });
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-bench-'));
  const program = join(folder, 'names');
  await execa('tcc', ['-Wall', '-o', program, join(import.meta.dirname, 'names.c')]);
  return { folder, program };
}

export const askedFrom = (stdout: string): Asked => {
  const [median = 0, p99 = 0, rate = 0, failed = 0, refused = 0] = stdout.split(' ').map(Number);
  return { median, p99, rate, failed, refused };
};

export async function benchNames({ namespaces, ...counts }: NamesBench): Promise<readonly Figure[]> {
  await ensureCommands({ dnsmasq: 'dnsmasq-base' });
  const { folder, program } = await asker();
  const [port = 0, forwarder = 0, echo = 0] = await freePorts(3);
  await using set = await createNamespaces(2);
  const [workload, other] = set.namespaces;
  if (workload === undefined || other === undefined) throw new Error('too few namespaces');
  const children = [
    spawn(program, ['serve', HERE, `${port}`], { stdio: 'ignore' }),
    spawn(program, ['echo', HERE, `${echo}`], { stdio: 'ignore' }),
    startForwarder(forwarder, port),
  ];
  const grants = Math.min(counts.questions, 30_000);
  const proxy = startProxy({ workload: workload.name, other: other.name, port, grants, namespaces });
  try {
    // What is granted by name leads to the other namespace.
    await other.run('ip', ['route', 'add', 'local', '10.83.0.0/16', 'dev', 'lo']);
    await workload.run('ip', ['route', 'add', 'default', 'via', other.ipv4]);
    await askProxy(proxy, 'serve');
    return [
      ...(await askAll({ ...counts, program, workload, forwarder, echo, pid: proxy.pid ?? 0 })),
      ...partFigures(await askProxy(proxy, 'grants'), await askProxy(proxy, 'namespaces'), namespaces),
    ];
  } finally {
    for (const child of [...children, proxy]) child.kill();
    rmSync(folder, { recursive: true });
  }
}

const startProxy = (setup: Setup): ChildProcess =>
  fork(join(import.meta.dirname, 'names-proxy.ts'), [JSON.stringify(setup)], {
    ...{ execArgv: [...NODE_FLAGS], env: { ...process.env, ...NODE_ENVIRONMENT } },
  });

async function askProxy(proxy: ChildProcess, part: string): Promise<Measured> {
  proxy.send(part);
  const ended = once(proxy, 'exit').then(() => Promise.reject(new Error('the proxy has ended')));
  const [measured]: Measured[] = await Promise.race([once(proxy, 'message'), ended]);
  return measured ?? {};
}

const startForwarder = (port: number, upstream: number): ChildProcess =>
  spawn(
    'dnsmasq',
    [
      ...['--keep-in-foreground', '--no-hosts', '--no-resolv', '--conf-file=/dev/null', '--bind-interfaces'],
      ...[`--listen-address=${HERE}`, `--port=${port}`, `--server=${HERE}#${upstream}`, '--pid-file='],
      ...['--dns-forward-max=1000', '--cache-size=0'],
    ],
    { stdio: 'ignore' },
  );

interface Site extends Omit<NamesBench, 'namespaces'> {
  readonly program: string;
  readonly workload: Namespace;
  /** Ports of dnsmasq and of the echo. */
  readonly forwarder: number;
  readonly echo: number;
  /** Of the proxy. */
  readonly pid: number;
}

type Ask = (how: string, ...words: readonly string[]) => Promise<Asked>;

async function askAll(site: Site): Promise<readonly Figure[]> {
  const { program, workload, questions, rounds } = site;
  const ours: Ask = async (how, ...words) => {
    const { stdout } = await workload.run(program, [how, ELSEWHERE, '53', ...words], { timeout: 300_000 });
    return answered(stdout);
  };
  const at =
    (port: number): Ask =>
    async (how, ...words) =>
      answered((await execa(program, [how, HERE, `${port}`, ...words])).stdout);
  const sides = { ours, dnsmasq: at(site.forwarder), echo: at(site.echo) };
  const count = `${Math.ceil(questions / rounds)}`;
  const figures: Figure[] = [];
  for (const [what, label, ...fresh] of [
    ['a new name, with its grant', 'new', 'fresh'],
    ['a known name', 'known'],
  ] as const) {
    const one = await inTurn(sides, rounds, (side, round) =>
      side('ask', count, '1', `${label}${round}`, ...fresh),
    );
    figures.push(...latencies(what, one));
    const processor: number[] = [];
    const rates: number[] = [];
    await ours('ask', WARM_UP, `${OPEN}`, `w${label}`, ...fresh);
    for (let round = 0; round < rounds; round++) {
      const before = processorTime(site.pid);
      const { rate } = await ours('ask', count, `${OPEN}`, `m${label}${round}`, ...fresh);
      processor.push((processorTime(site.pid) - before) / Number(count));
      rates.push(rate);
    }
    // Other programs only add to it.
    figures.push(...work(what, sample(processor).least, sample(rates).median));
  }
  const { refused } = await ours('race', `${Math.min(questions, 10_000)}`, `${OPEN}`, 'race');
  return [
    ...figures,
    { group: GROUP, what: 'asked and connected at once: refused', unit: 'names', value: refused, most: 0 },
  ];
}

function answered(stdout: string): Asked {
  const asked = askedFrom(stdout);
  if (asked.failed > 0) throw new Error(`${asked.failed} questions had no address`);
  return asked;
}

/** The medians of the rounds, in which the sides take turns. */
async function inTurn<Side extends string>(
  sides: Readonly<Record<Side, Ask>>,
  rounds: number,
  ask: (side: Ask, round: number) => Promise<Asked>,
): Promise<(side: Side, key: keyof Asked) => number> {
  const all: { side: string; asked: Asked }[] = [];
  for (let round = 0; round < rounds; round++)
    for (const [side, one] of Object.entries<Ask>(sides)) all.push({ side, asked: await ask(one, round) });
  return (side, key) => sample(all.flatMap((one) => (one.side === side ? [one.asked[key]] : []))).median;
}

const latencies = (
  what: string,
  of: (side: 'ours' | 'dnsmasq' | 'echo', key: keyof Asked) => number,
): readonly Figure[] =>
  (['median', 'p99'] as const).flatMap((key) =>
    (['dnsmasq', 'echo'] as const).map((side) => ({
      ...{ group: GROUP, what: `${what}, ${key}`, unit: 'µs', value: of('ours', key) },
      ...{ floor: of(side, key), floorName: `µs ${side}` },
    })),
  );

/** `processor`: microseconds of a question. */
const work = (what: string, processor: number, rate: number): readonly Figure[] => [
  { group: GROUP, what: `${what}, processor time`, unit: 'µs', value: processor, most: 100 },
  {
    ...{ group: GROUP, what: `${what}, on one core`, unit: 'questions/s', value: 1e6 / processor },
    ...{ floor: 10_000, floorName: 'wanted', target: '≥ 1' },
  },
  { group: GROUP, what: `${what}, ${OPEN} at once`, unit: 'questions/s', value: rate },
];

const partFigures = (grants: Measured, one: Measured, count: number): readonly Figure[] => [
  { group: GROUP, what: 'a grant, processor time', unit: 'µs', value: grants.grant ?? 0 },
  { group: GROUP, what: `memory of a namespace, of ${count}`, unit: 'kB', value: one.memory ?? 0, most: 150 },
  { group: GROUP, what: 'sockets of a namespace, opened', unit: 'ms', value: one.opening ?? 0 },
];
