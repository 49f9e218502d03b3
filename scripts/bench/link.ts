/**
 * A client and a server in their own namespaces, connected by a veth, and the measurements between them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { ensureCommands, ensureFiles } from '../../lab/apt.ts';
import { createNamespaces, createRoutingHost, type Namespace } from '../../lab/netns.ts';
import { labFolder } from '../../lab/paths.ts';

/** Ports of iperf3 and of the program that accepts connections. Adjacent ports would merge into one range. */
export const PORT = 5201;
export const ACCEPTING = 5203;

/** The amount that is sent each time: less than half a second on a machine of 2026. */
const TCP_BYTES = '500M';
const UDP_PACKETS = '50000';
const CONNECT_SECONDS = 0.3;

/** The server listens on both ports. */
export interface Link extends AsyncDisposable {
  readonly client: Namespace;
  readonly server: Namespace;
}

export async function openLink(): Promise<Link> {
  const set = await createNamespaces(2);
  const [client, server] = set.namespaces;
  if (client === undefined || server === undefined) throw new Error('two namespaces were asked for');
  return await listening({ client, server }, set.dispose);
}

/** A link whose packets a host forwards to a container on its bridge `br-a`. */
export interface RoutedLink extends Link {
  readonly host: Namespace;
}

/** The same, with the server on a bridge of a host that forwards. */
export async function openRoutedLink(): Promise<RoutedLink> {
  const { host, outside, containers, dispose } = await createRoutingHost();
  return { host, ...(await listening({ client: outside, server: containers.a1 }, dispose)) };
}

/** Starts what listens at the server. It goes with the link. */
async function listening(
  { client, server }: Pick<Link, 'client' | 'server'>,
  remove: () => Promise<void>,
): Promise<Link> {
  const programs: ChildProcess[] = [];
  const dispose = async () => {
    for (const child of programs) child.kill('SIGKILL');
    await remove();
  };
  try {
    await ensureCommands({ iperf3: 'iperf3' });
    programs.push(
      startIn(server, 'iperf3', ['--server', '--port', String(PORT)]),
      startIn(server, await connectionsProgram(), ['serve', String(ACCEPTING)]),
    );
    for (const port of [PORT, ACCEPTING]) await untilListening(server, port);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { client, server, [Symbol.asyncDispose]: dispose };
}

/** Gbit/s. */
export async function tcpRate(link: Link): Promise<number> {
  const { sum_received } = await iperf(link, ['--bytes', TCP_BYTES]);
  return (sum_received?.bits_per_second ?? 0) / 1e9;
}

/** Thousands of packets of 64 bytes a second that arrive. */
export async function udpRate(link: Link): Promise<number> {
  const { sum } = await iperf(link, [
    ...['--udp', '--length', '64', '--bitrate', '0'],
    ...['--blockcount', UDP_PACKETS],
  ]);
  return sum === undefined ? 0 : (sum.packets - sum.lost_packets) / sum.seconds / 1000;
}

/** Thousands of new connections in a second of the client's processor time. */
export async function connectionRate({ client, server }: Link): Promise<number> {
  const args = ['count', server.ipv4, String(ACCEPTING), String(CONNECT_SECONDS)];
  return Number((await client.run(await connectionsProgram(), args)).stdout) / 1000;
}

/** Thousands of datagrams of one flow in a second of the client's processor time. Nobody reads them. */
export async function packetRate({ client, server }: Link): Promise<number> {
  const args = ['send', server.ipv4, String(PORT), String(CONNECT_SECONDS)];
  return Number((await client.run(await connectionsProgram(), args)).stdout) / 1000;
}

/** The parts of iperf3's report that are used. */
interface Report {
  readonly sum_received?: { readonly bits_per_second: number };
  readonly sum?: { readonly packets: number; readonly lost_packets: number; readonly seconds: number };
}

async function iperf({ client, server }: Link, args: readonly string[]): Promise<Report> {
  const common = ['--client', server.ipv4, '--port', String(PORT), '--json'];
  const { stdout } = await client.run('iperf3', [...common, ...args], { timeout: 60_000 });
  const report: { readonly end: Report } = JSON.parse(stdout);
  return report.end;
}

/** Compiled once in each run, by the smallest C compiler of Debian. */
let compiled: Promise<string> | undefined;

function connectionsProgram(): Promise<string> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<string> {
  await ensureCommands({ tcc: 'tcc' });
  await ensureFiles({ '/usr/include/stdio.h': 'libc6-dev' });
  const program = join(labFolder('bench'), 'connections');
  await execa('tcc', ['-Wall', '-o', program, join(import.meta.dirname, 'connections.c')]);
  return program;
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
