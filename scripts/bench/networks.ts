/**
 * networks.json: the time from a change of the file to the policy in force, and from a container's start to its ports,
 * routes and permits in force, by real connections. Beside them, of the same run, the time from the start of a workload to
 * its egress rules.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type EngineVersion, type OwnEngine, startEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, startController } from '../../test/support/egresstrator.ts';
import { ensureTestImage } from '../../test/support/helper-image.ts';
import { type Workload, Workloads } from '../../test/support/workloads.ts';
import { type Figure, sample } from './measure.ts';

export interface NetworksBench {
  readonly versions: readonly EngineVersion[];
  /** Of each figure; it is the median of them. */
  readonly rounds: number;
  /** The controller's. */
  readonly program: string;
}

/** Milliseconds that a policy may take until it is in force. */
const ALLOWED = 300;

const WEB = '172.31.103.2';
const PROXY = '172.31.104.2';
/** In a network of its own, which the file does not mention. */
const VPN = '172.31.105.2';

export async function benchNetworks({ versions, ...options }: NetworksBench): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const version of versions)
    for (const loader of ['nsenter', 'helper'] as const)
      figures.push(...(await benchEngine({ version, loader, ...options })));
  return figures;
}

interface Setup extends Omit<NetworksBench, 'versions'> {
  readonly version: EngineVersion;
  /** `nsenter`: in the Engine's namespace, as from the image or without images; `helper`: as with compose. */
  readonly loader: 'nsenter' | 'helper';
}

async function benchEngine({ rounds, ...setup }: Setup): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  const site = await openSite(setup, stack);
  const group = `networks.json, Engine ${setup.version}, loader ${setup.loader}`;
  const median = async (measure: (round: number) => Promise<number>) => {
    const taken: number[] = [];
    for (let round = 0; round <= rounds; round += 1) taken.push(await measure(round));
    return sample(taken.slice(1)).median;
  };
  const base = { group, unit: 'ms' };
  const permit = await median((round) => newPermit(site, round));
  const removed = await median((round) => removedPermit(site, round));
  const floor = await median((round) => workloadStart(site, round));
  const started = { ...base, floor, floorName: 'ms workload start → enforced' };
  return [
    { ...base, what: 'file changed → the new policy permits', value: permit, most: ALLOWED },
    { ...base, what: 'file changed → the removed policy denies', value: removed, most: ALLOWED },
    {
      ...started,
      what: 'container start → its port leads elsewhere',
      value: await median(() => portAgain(site)),
    },
    {
      ...started,
      what: 'container start → it reaches what it may',
      value: await median(() => permitAgain(site)),
    },
  ];
}

interface Site {
  readonly workloads: Workloads;
  readonly controller: RunningController;
  readonly path: string;
  readonly callers: { readonly proxy: Workload; readonly outer: Workload };
}

async function openSite(
  { version, program, loader }: Omit<Setup, 'rounds'>,
  stack: AsyncDisposableStack,
): Promise<Site> {
  const engine: OwnEngine = await startEngine({ version, name: `bench-${version}`, diesWithParent: true });
  stack.defer(() => engine.remove());
  const consul: Consul = await startConsul({ engine });
  stack.defer(() => consul.stop());
  await consul.call('PUT', '/v1/kv/egress/acl/bench', '10.0.0.1:tcp/1');
  const image = await ensureTestImage(engine);
  const workloads = stack.use(await Workloads.on(engine));
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-bench-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  // Of the folder around it each event counts, and others make files in that of temporary files.
  const path = join(folder, 'config', 'networks.json');
  mkdirSync(dirname(path));
  const outer = workloads.nameOf('outer-net');
  await workloads.must('network', 'create', '--label', workloads.label, '--subnet', '172.31.105.0/24', outer);
  const web = await workloads.run('web', { command: ['nc', '-ll', '-p', '82', '-e', 'cat'] });
  await web.probe.serve([80, 81]);
  await workloads.run('vpn', { network: outer, args: ['--ip', VPN] });
  const callers = {
    proxy: await workloads.run('proxy', { command: ['sh', '-c', CALLING] }),
    outer: await workloads.run('caller', { network: outer }),
  };
  const site = { workloads, path, callers };
  write(site, 80);
  const args = ['-i', image, '-c', consul.address, '--networks', path, '--loader', loader];
  const networkPrefix = loader === 'nsenter' ? engine.networkPrefix : [];
  const controller = stack.use(await startController({ engine, args, program, networkPrefix }));
  await until(callers.proxy, WEB, 80, true);
  await until(callers.outer, VPN, 90, true);
  return { ...site, controller };
}

/** The proxy may reach the web at this port and at 82, and a port of the VPN leads there. */
function write({ workloads, path }: Pick<Site, 'workloads' | 'path'>, port: number): void {
  const file = {
    networks: {
      [workloads.nameOf('front')]: { subnet: '172.31.104.0/24' },
      [workloads.nameOf('back')]: { subnet: '172.31.103.0/24' },
    },
    ips: {
      [WEB]: { container_name: workloads.nameOf('web'), selector: 'web' },
      [PROXY]: { container_name: workloads.nameOf('proxy'), selector: 'proxy' },
    },
    policies: [
      { selector: 'web', from: 'proxy', port, proto: 'tcp' },
      { selector: 'web', from: 'proxy', port: 82, proto: 'tcp' },
      { name: workloads.nameOf('vpn'), nat: 'dnat', to: 'web', port: 90, to_port: 82, proto: 'tcp' },
    ],
  };
  writeFileSync(`${path}.new`, JSON.stringify(file, null, 2));
  renameSync(`${path}.new`, path);
}

/** Milliseconds between two connections, and for which each waits: less than until it would be tried again. */
const PAUSE = 10;
const ANSWERED_IN = 900;

/** Of many new connections, when the first was answered, or when the first began that was not. */
async function until({ probe }: Workload, address: string, port: number, passes: boolean): Promise<number> {
  const found = Promise.withResolvers<number>();
  const call = async () => {
    const began = Date.now();
    const { outcome } = await probe.reach({ protocol: 'tcp', address, port }, ANSWERED_IN);
    if ((outcome === 'ok') === passes) found.resolve(passes ? Date.now() : began);
  };
  const calls = setInterval(() => call().catch(found.reject), PAUSE);
  const failure = new Error(`${address}:${port} is ${passes ? 'not reached' : 'reached'} after a minute`);
  const end = globalThis.setTimeout(() => found.reject(failure), 60_000);
  try {
    return await found.promise;
  } finally {
    clearInterval(calls);
    clearTimeout(end);
  }
}

/** Milliseconds after which what the round before has caused is over. */
const REST = 1_000;

const portOf = (round: number): number => 80 + (round % 2);

async function newPermit(site: Site, round: number): Promise<number> {
  const port = portOf(round + 1);
  await setTimeout(REST);
  const began = Date.now();
  write(site, port);
  return (await until(site.callers.proxy, WEB, port, true)) - began;
}

async function removedPermit(site: Site, round: number): Promise<number> {
  write(site, portOf(round));
  await until(site.callers.proxy, WEB, portOf(round), true);
  await setTimeout(REST);
  const began = Date.now();
  write(site, portOf(round + 1));
  return (await until(site.callers.proxy, WEB, portOf(round), false)) - began;
}

async function workloadStart({ workloads, controller }: Site, round: number): Promise<number> {
  const from = controller.log.length;
  const { name, startedAt } = await workloads.run(`egress-${round}`, { acl: 'bench' });
  const line = await controller.logged(
    ({ msg, container }) => msg === 'rules loaded' && container === name,
    `rules loaded in ${name}`,
    from,
    60_000,
  );
  return Date.parse(line.time) - startedAt;
}

async function portAgain({ workloads, callers }: Site): Promise<number> {
  const name = workloads.nameOf('vpn');
  await workloads.must('stop', '--time', '0', name);
  await until(callers.outer, VPN, 90, false);
  await setTimeout(REST);
  const [at] = await Promise.all([until(callers.outer, VPN, 90, true), workloads.must('start', name)]);
  return at - (await workloads.find('vpn')).startedAt;
}

async function permitAgain({ workloads }: Site): Promise<number> {
  await workloads.must('restart', '--time', '0', workloads.nameOf('proxy'));
  const { startedAt } = await workloads.find('proxy');
  const since = new Date(startedAt).toISOString();
  const at = await waitFor(
    async () => {
      const log = await workloads.must('logs', '--timestamps', '--since', since, workloads.nameOf('proxy'));
      return /^(\S+) reached$/m.exec(log)?.[1];
    },
    { what: 'the proxy to reach the web' },
  );
  return Date.parse(at) - startedAt;
}

/** Calls each 20 ms for a while after its start, and says when a call was answered. */
const CALLING = `i=0
while [ $i -lt 200 ]; do
  (nc -w 1 ${WEB} 82 </dev/null >/dev/null 2>&1 && echo reached) &
  usleep 20000
  i=$((i + 1))
done
sleep 1d`;
