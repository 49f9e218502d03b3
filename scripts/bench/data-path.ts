/**
 * The data path: what rules cost the packets, over a veth between two namespaces. TCP throughput,
 * small UDP packets, and new TCP connections, each beside the same with no rules.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { execa } from 'execa';
import { ensureCommands } from '../../lab/apt.ts';
import { createNamespaces, type Namespace } from '../../lab/netns.ts';
import type { Figure } from './measure.ts';
import { loadable, renderRules, ruleText } from './rules.ts';

const PORT = 5201;

interface Rates {
  /** Gbit/s */
  readonly tcp: number;
  /** Thousands of 64-byte packets per second that arrive. */
  readonly udp: number;
  /** Connections per second, one after the other. */
  readonly connects: number;
}

export interface DataPathOptions {
  readonly seconds: number;
  readonly counts: readonly number[];
  readonly templates: readonly string[];
}

export async function benchDataPath(options: DataPathOptions): Promise<readonly Figure[]> {
  await ensureCommands({ iperf3: 'iperf3' });
  const figures: Figure[] = [];
  for (const template of options.templates) {
    const counts =
      template === 'nftables' ? options.counts : options.counts.filter((count) => count <= 10_000);
    for (const count of counts) figures.push(...(await compare(template, count, options.seconds)));
  }
  return figures;
}

/** Without and with rules in turn, in namespaces of their own, so that a drift of the machine hits both. */
async function compare(template: string, count: number, seconds: number): Promise<readonly Figure[]> {
  const bare = await rates(undefined, seconds);
  const ruled = await rates(textFor(template, count), seconds);
  const group = `data path, template ${template}`;
  const isGoal = template === 'nftables' && count >= 10_000;
  const figure = (what: string, unit: string, key: keyof Rates, target: string): Figure => ({
    ...{ group, what: `${what}, ${count} destinations`, unit, value: ruled[key] },
    ...{ floor: bare[key], floorName: 'no rules', ...(isGoal ? { target } : {}) },
  });
  return [
    figure('TCP', 'Gbit/s', 'tcp', '≥ 0.9'),
    figure('UDP 64 bytes', 'thousand/s', 'udp', '≥ 0.75'),
    figure('TCP connections', '1/s', 'connects', '≥ 0.85'),
  ];
}

/** The peer is one destination among many; a denylist names only the others. */
function textFor(template: string, count: number): string {
  const peer = template === 'denylist' ? [] : ['0.0.0.0/0:tcp/5201-5202', '0.0.0.0/0:udp/5201'];
  return loadable(renderRules(ruleText(count, peer), template));
}

async function rates(text: string | undefined, seconds: number): Promise<Rates> {
  await using set = await createNamespaces(2);
  const [client, server] = set.namespaces;
  if (client === undefined || server === undefined) throw new Error('two namespaces were asked for');
  if (text !== undefined)
    await client.run('sh', ['dataplane/netns', 'load'], { input: text, timeout: 120_000 });
  const listening = startIn(server, 'iperf3', ['--server', '--port', String(PORT)]);
  try {
    await untilListening(client, server);
    return {
      tcp: await iperf(client, server, ['--time', String(seconds)], tcpRate),
      udp: await iperf(
        client,
        server,
        ['--udp', '--length', '64', '--bitrate', '0', '--time', String(seconds)],
        udpRate,
      ),
      connects: await connectRate(client, server, seconds),
    };
  } finally {
    listening.kill('SIGKILL');
  }
}

async function iperf(
  client: Namespace,
  server: Namespace,
  args: readonly string[],
  read: (report: Report) => number,
): Promise<number> {
  const { stdout } = await client.run(
    'iperf3',
    ['--client', server.ipv4, '--port', String(PORT), '--json', ...args],
    {
      timeout: 60_000,
    },
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
async function connectRate(client: Namespace, server: Namespace, seconds: number): Promise<number> {
  const script = `
    const { connect } = require('node:net');
    const end = performance.now() + ${seconds * 1000};
    let count = 0;
    const next = () => performance.now() > end ? console.log(count / ${seconds}) :
      connect(${PORT + 1}, '${server.ipv4}').on('connect', function () { count += 1; this.resetAndDestroy(); next(); });
    next();`;
  const accept = `require('node:net').createServer((s) => s.on('error', () => {})).listen(${PORT + 1}, '0.0.0.0')`;
  const listening = startIn(server, process.execPath, ['-e', accept]);
  try {
    await untilListening(client, server, PORT + 1);
    return Number((await client.run(process.execPath, ['-e', script], { timeout: 60_000 })).stdout);
  } finally {
    listening.kill('SIGKILL');
  }
}

function startIn({ prefix }: Namespace, command: string, args: readonly string[]): ChildProcess {
  const [first = '', ...rest] = [...prefix, command, ...args];
  return spawn(first, rest, { stdio: 'ignore' });
}

async function untilListening(client: Namespace, server: Namespace, port = PORT): Promise<void> {
  const [first = '', ...rest] = [...server.prefix, 'ss', '-Hltn', `sport = :${port}`];
  for (let tries = 0; tries < 200; tries += 1) {
    const { stdout } = await execa(first, rest);
    if (stdout !== '') return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on port ${port} at ${server.ipv4}, as seen for ${client.name}`);
}
