/**
 * A real Consul: one dev agent by default, with ACLs, TLS, three servers, client agents or a second
 * datacenter where asked for. All its ports are free ones, so any number run side by side.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Consul } from './consul/cluster.ts';
import { type ConsulOptions, serverPlans } from './consul/plan.ts';
import { consulProgram } from './consul/program.ts';
import { ConsulServer } from './consul/server.ts';
import { timed } from './log.ts';
import { labRunFolder } from './paths.ts';
import { identify } from './process.ts';

export { makeCertificates } from './consul/certificates.ts';
export { Consul } from './consul/cluster.ts';
export { callConsul } from './consul/http.ts';
export type { ConsulOptions } from './consul/plan.ts';
export { ConsulServer } from './consul/server.ts';

export async function startConsul(options: ConsulOptions = {}): Promise<Consul> {
  const { engine, diesWithParent = true } = options;
  const folder = runFolder(diesWithParent);
  const program = await consulProgram();
  const plans = await serverPlans(options, folder);
  const common = { program, networkPrefix: engine?.networkPrefix ?? [], diesWithParent };
  const servers = plans.map((plan) => new ConsulServer({ ...common, plan, folder: join(folder, plan.name) }));
  const consul = new Consul(folder, plans, servers);
  const what = `started Consul ${program.version.join('.')} at ${consul.address}`;
  await timed(what, () => startOrCleanUp(consul));
  return consul;
}

/** Also removes those of processes that ended without stopping their Consul. */
function runFolder(diesWithParent: boolean): string {
  const folder = labRunFolder('consul');
  for (const name of readdirSync(folder)) {
    const pid = /^run-(\d+)-/.exec(name)?.[1];
    const isLeftover = pid !== undefined && identify(Number(pid)) === undefined;
    if (isLeftover) rmSync(join(folder, name), { recursive: true, force: true });
  }
  return mkdtempSync(join(folder, diesWithParent ? `run-${process.pid}-` : 'kept-'));
}

async function startOrCleanUp(consul: Consul): Promise<void> {
  try {
    await consul.start();
  } catch (error) {
    await consul.stop();
    throw error;
  }
}
