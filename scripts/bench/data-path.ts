/**
 * The data path: what rules cost the packets, over a veth between two namespaces. TCP throughput,
 * small UDP packets, and new TCP connections, each beside the same with no rules.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { ensureCommands } from '../../lab/apt.ts';
import { createNamespaces, type Namespace } from '../../lab/netns.ts';
import { type Figure, sample } from './measure.ts';
import { type Kind, loadable, renderRules, ruleText } from './rules.ts';

/** Of iperf3, and of what only accepts connections: no neighbours, or they would be one range. */
const PORT = 5201;
const ACCEPTING = 5203;

/** How much is sent each time: less than half a second's worth on a machine of 2026. */
const TCP_BYTES = '500M';
const UDP_PACKETS = '50000';
const CONNECT_SECONDS = 0.3;

/** A client and a server, which listens on both ports. */
interface Link extends AsyncDisposable {
  readonly client: Namespace;
  readonly server: Namespace;
}

interface Measure {
  readonly what: string;
  readonly unit: string;
  /** For nftables, from 10,000 destinations. */
  readonly target: string;
  readonly take: (link: Link) => Promise<number>;
}

const MEASURES: readonly Measure[] = [
  {
    what: 'TCP',
    unit: 'Gbit/s',
    target: '≥ 0.9',
    take: (link) => iperf(link, ['--bytes', TCP_BYTES], tcpRate),
  },
  {
    ...{ what: 'UDP 64 bytes', unit: 'thousand/s', target: '≥ 0.75' },
    take: (link) =>
      iperf(link, ['--udp', '--length', '64', '--bitrate', '0', '--blockcount', UDP_PACKETS], udpRate),
  },
  { what: 'TCP connections', unit: '1/s', target: '≥ 0.85', take: (link) => connectRate(link) },
];

export interface DataPathOptions {
  /** Each figure and its floor are the medians of this many times, in turn. */
  readonly rounds: number;
  readonly counts: readonly number[];
  readonly templates: readonly string[];
}

interface Row {
  readonly template: string;
  readonly kind: Kind;
  readonly count: number;
}

export async function benchDataPath({ rounds, ...options }: DataPathOptions): Promise<readonly Figure[]> {
  await ensureCommands({ iperf3: 'iperf3' });
  await using bare = await openLink();
  const figures: Figure[] = [];
  for (const row of rowsOf(options)) figures.push(...(await compare(row, bare, rounds)));
  return figures;
}

const rowsOf = ({ templates, counts }: Pick<DataPathOptions, 'templates' | 'counts'>): readonly Row[] =>
  templates.flatMap((template) => {
    const isDefault = template === 'nftables';
    const kinds: readonly Kind[] = isDefault ? ['destinations', 'prefixes'] : ['destinations'];
    const some = isDefault ? counts : counts.filter((count) => count <= 10_000);
    return kinds.flatMap((kind) => some.map((count) => ({ template, kind, count })));
  });

/** Without and with rules in turn, so that a drift of the machine hits both alike. */
async function compare(row: Row, bare: Link, rounds: number): Promise<readonly Figure[]> {
  const { template, kind, count } = row;
  await using ruled = await openLink();
  await loadRules(row, ruled);
  const figures: Figure[] = [];
  for (const { what, unit, target, take } of MEASURES) {
    const [floors, values]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      floors.push(await take(bare));
      values.push(await take(ruled));
    }
    const goal = template === 'nftables' && count >= 10_000 ? { target } : {};
    figures.push({
      ...{ group: `data path, template ${template}`, what: `${what}, ${count} ${kind}`, unit, ...goal },
      ...{ value: sample(values).median, floor: sample(floors).median, floorName: 'no rules' },
    });
  }
  return figures;
}

async function loadRules({ template, kind, count }: Row, { client, server }: Link): Promise<void> {
  const text = loadable(renderRules(ruleText(count, grantsOf(template, kind, server), kind), template));
  await client.run('sh', ['dataplane/netns', 'load'], { input: text, timeout: 120_000 });
  // A denylist marks no flow before its sets are sure to answer: `$settled` of dataplane/netns.
  if (template === 'denylist') await sleep(3_000 + text.length / 1_000);
}

/**
 * The server is one of many, of the same kind. iptables would come to it last of all, so there it is the first;
 * a denylist names only the others.
 */
function grantsOf(template: string, kind: Kind, { ipv4 }: Namespace): readonly string[] {
  if (template === 'denylist') return [];
  const prefix = template === 'iptables' ? '0.0.0.0/0' : ipv4.replace(/\d+$/, '0/29');
  const target = template === 'nftables' && kind === 'destinations' ? ipv4 : prefix;
  return [`${target}:tcp/${PORT}`, `${target}:tcp/${ACCEPTING}`, `${target}:udp/${PORT}`];
}

async function openLink(): Promise<Link> {
  const set = await createNamespaces(2);
  const [client, server] = set.namespaces;
  if (client === undefined || server === undefined) throw new Error('two namespaces were asked for');
  const accept = `require('node:net').createServer((s) => s.on('error', () => {})).listen(${ACCEPTING}, '0.0.0.0')`;
  const listening = [
    startIn(server, 'iperf3', ['--server', '--port', String(PORT)]),
    startIn(server, process.execPath, ['-e', accept]),
  ];
  const dispose = async () => {
    for (const child of listening) child.kill('SIGKILL');
    await set.dispose();
  };
  try {
    for (const port of [PORT, ACCEPTING]) await untilListening(server, port);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { client, server, [Symbol.asyncDispose]: dispose };
}

async function iperf(
  { client, server }: Link,
  args: readonly string[],
  read: (report: Report) => number,
): Promise<number> {
  const { stdout } = await client.run(
    'iperf3',
    ['--client', server.ipv4, '--port', String(PORT), '--json', ...args],
    { timeout: 60_000 },
  );
  return read(JSON.parse(stdout));
}

/** The part of iperf3's report that is read. */
interface Report {
  readonly end: {
    readonly sum_received?: { readonly bits_per_second: number };
    readonly sum?: { readonly packets: number; readonly lost_packets: number; readonly seconds: number };
  };
}

const tcpRate = ({ end }: Report): number => (end.sum_received?.bits_per_second ?? 0) / 1e9;
const udpRate = ({ end: { sum } }: Report): number =>
  sum === undefined ? 0 : (sum.packets - sum.lost_packets) / sum.seconds / 1000;

/** A process inside that connects and closes as fast as it can, and prints how often per second. */
async function connectRate({ client, server }: Link): Promise<number> {
  const script = `
    const { connect } = require('node:net');
    const start = performance.now();
    let count = 0;
    const next = () => {
      const passed = performance.now() - start;
      if (passed > ${CONNECT_SECONDS * 1000}) return console.log(1000 * count / passed);
      connect(${ACCEPTING}, '${server.ipv4}').on('connect', function () { count += 1; this.resetAndDestroy(); next(); });
    };
    next();`;
  return Number((await client.run(process.execPath, ['-e', script], { timeout: 60_000 })).stdout);
}

function startIn({ prefix }: Namespace, command: string, args: readonly string[]): ChildProcess {
  const [first = '', ...rest] = [...prefix, command, ...args];
  return spawn(first, rest, { stdio: 'ignore' });
}

async function untilListening({ prefix, ipv4 }: Namespace, port: number): Promise<void> {
  const [first = '', ...rest] = [...prefix, 'ss', '-Hltn', `sport = :${port}`];
  for (let tries = 0; tries < 200; tries += 1) {
    const { stdout } = await execa(first, rest);
    if (stdout !== '') return;
    await sleep(25);
  }
  throw new Error(`nothing listens on port ${port} at ${ipv4}`);
}
