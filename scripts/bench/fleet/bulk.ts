/**
 * The cost of one read of a service for the servers, when a few connections read as fast as they can. Any server
 * answers a `stale` read; only the leader answers a `consistent` one.
 */
import { Agent, get } from 'node:http';
import { processorTime, sum } from './cost.ts';
import type { FleetSetup } from './setup.ts';

export interface Bulk {
  readonly perSecond: number;
  /** Processor time of all servers, in ms for each read. */
  readonly processor: number;
}

const CONNECTIONS = 16;

export async function bulkReads(
  setup: FleetSetup,
  how: 'stale' | 'consistent',
  seconds: number,
): Promise<Bulk> {
  const { agents, servers } = setup.consul;
  const agent = new Agent({ keepAlive: true });
  const [before, started] = [sum(servers.map(processorTime)), performance.now()];
  let reads = 0;
  const readOn = async (from: number) => {
    for (let n = from; performance.now() < started + seconds * 1_000; n += 1) {
      const { address } = agents[n % agents.length] ?? setup.consul;
      await read(`${address}/v1/catalog/service/${setup.services[n % setup.services.length]}?${how}`, agent);
      reads += 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => readOn(n)));
  agent.destroy();
  const processor = ((sum(servers.map(processorTime)) - before) * 1_000) / reads;
  return { perSecond: (reads * 1_000) / (performance.now() - started), processor };
}

const read = (url: string, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent }, (answer) => {
      answer.on('error', reject).on('end', resolve).resume();
    });
    request.on('error', reject);
  });
