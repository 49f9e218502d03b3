/**
 * What one read of a service costs the servers when there are many: as fast as few connections ask, by
 * `stale` reads, which any server answers, and by `consistent` ones, which the leader answers alone.
 */
import { Agent, get } from 'node:http';
import { processorTime, sum } from './cost.ts';
import type { Scene } from './scene.ts';

export interface Bulk {
  readonly perSecond: number;
  /** Of all servers' processors, in ms a read. */
  readonly processor: number;
}

const CONNECTIONS = 16;

export async function bulkReads(scene: Scene, how: 'stale' | 'consistent', seconds: number): Promise<Bulk> {
  const { agents, servers } = scene.consul;
  const agent = new Agent({ keepAlive: true });
  const [before, started] = [sum(servers.map(processorTime)), performance.now()];
  let reads = 0;
  const readOn = async (from: number) => {
    for (let n = from; performance.now() < started + seconds * 1_000; n += 1) {
      const { address } = agents[n % agents.length] ?? scene.consul;
      await read(`${address}/v1/catalog/service/${scene.services[n % scene.services.length]}?${how}`, agent);
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
