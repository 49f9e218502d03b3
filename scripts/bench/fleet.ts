/**
 * A fleet's watches against three Consul servers with client agents: what a controller costs Consul at
 * rest and under churn, beside bare blocking queries of the same number, and what happens when Consul is
 * restarted or all keys are edited. docs/scaling.md works it out for thousands of hosts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { bulkReads } from './fleet/bulk.ts';
import { type Cost, costOf } from './fleet/cost.ts';
import { closeHosts, type Kind, openHosts, openScene, type Scene } from './fleet/scene.ts';
import {
  agentRestarts,
  allKeysEdited,
  allServersRestart,
  type Rush,
  serversRestart,
} from './fleet/stampede.ts';
import type { Figure } from './measure.ts';

export interface FleetBench {
  readonly agents: number;
  /** That each host watches. */
  readonly services: number;
  readonly keys: number;
  /** Numbers of hosts; the last is that of the stampedes. */
  readonly hosts: readonly number[];
  /** At rest; a third of it under churn. A multiple of the 45 s that queries block. */
  readonly seconds: number;
}

export async function benchFleet(bench: FleetBench): Promise<readonly Figure[]> {
  await using scene = await openScene(bench);
  const idle = await costOf(scene, [], bench.seconds, async () => {});
  const figures: Figure[] = [...(await bulk(scene))];
  for (const count of bench.hosts) {
    const bare = await costs(scene, 'bare queries', count, bench.seconds);
    const ours = await costs(scene, 'controllers', count, bench.seconds);
    const group = `one of ${count} hosts, ${bench.services} services and ${bench.keys} keys each`;
    for (const when of WHENS) figures.push(...costFigures(group, when, count, ours[when], bare[when], idle));
  }
  const count = bench.hosts.at(-1) ?? 1;
  const bare = await rushes(scene, 'bare queries', count);
  const ours = await rushes(scene, 'controllers', count);
  const watches = bench.services + 1;
  for (const what of RUSH_NAMES) figures.push(...rushFigures(what, watches, ours[what], bare[what]));
  return figures;
}

async function bulk(scene: Scene): Promise<readonly Figure[]> {
  const stale = await bulkReads(scene, 'stale', 10);
  const consistent = await bulkReads(scene, 'consistent', 10);
  const group = 'consistent reads of services, in bulk';
  return [
    { ...{ group, what: 'reads', value: consistent.perSecond, unit: '1/s' }, ...beside(stale.perSecond) },
    {
      ...{ group, what: 'processor of the servers', value: consistent.processor, unit: 'ms a read' },
      ...beside(stale.processor),
    },
  ];
}

const beside = (floor: number) => ({ floor, floorName: 'stale reads' });

const WHENS = ['at rest', 'one KV edit a second', 'one catalog change a second'] as const;
type When = (typeof WHENS)[number];

async function costs(scene: Scene, kind: Kind, count: number, seconds: number): Promise<Record<When, Cost>> {
  const hosts = await openHosts(scene, kind, count);
  const spans: Readonly<Record<When, () => Promise<void>>> = {
    'at rest': async () => {},
    'one KV edit a second': scene.edit,
    'one catalog change a second': scene.registerOne,
  };
  try {
    // What follows the start is not rest.
    await sleep(5_000);
    const found: Partial<Record<When, Cost>> = {};
    for (const when of WHENS) {
      const span = when === 'at rest' ? seconds : Math.round(seconds / 3);
      found[when] = await costOf(scene, hosts, span, spans[when]);
    }
    return found as Record<When, Cost>;
  } finally {
    await closeHosts(hosts);
  }
}

function costFigures(
  group: string,
  when: When,
  count: number,
  ours: Cost,
  bare: Cost,
  idle: Cost,
): readonly Figure[] {
  const figure = (what: string, unit: string, key: keyof Cost, scale = 1): Figure => ({
    ...{ group, what: `${what}, ${when}`, unit },
    value: ((ours[key] - idle[key]) * scale) / count,
    ...{ floor: ((bare[key] - idle[key]) * scale) / count, floorName: 'bare queries' },
  });
  return [
    figure('connections', 'open', 'connections'),
    figure('requests', '1/min', 'requests'),
    figure('bytes', 'kB/min', 'bytes', 1e-3),
    figure('RPCs to servers', '1/min', 'sent'),
    figure('queries run by servers', '1/min', 'queries'),
    figure('processor of the servers', '% of a core', 'servers'),
    figure('processor of the agents', '% of a core', 'agents'),
    figure('memory of the servers', 'MB', 'serverMemory'),
    figure('memory of the agents', 'MB', 'agentMemory'),
  ];
}

const RUSHES = {
  'each of three servers is killed for 5 s, in turn': serversRestart,
  'all three servers are killed for 5 s': allServersRestart,
  'a client agent is killed for 5 s': agentRestarts,
  'every key is edited': allKeysEdited,
} as const;
type RushName = keyof typeof RUSHES;
const RUSH_NAMES = Object.keys(RUSHES) as readonly RushName[];

async function rushes(scene: Scene, kind: Kind, count: number): Promise<Record<RushName, Rush>> {
  const found: Partial<Record<RushName, Rush>> = {};
  for (const name of RUSH_NAMES) {
    const hosts = await openHosts(scene, kind, count);
    try {
      found[name] = await RUSHES[name](scene, hosts);
    } finally {
      await closeHosts(hosts);
    }
  }
  return found as Record<RushName, Rush>;
}

function rushFigures(name: RushName, watches: number, ours: Rush, bare: Rush): readonly Figure[] {
  const group = `${name}, ${ours.hosts} hosts of ${watches} watches`;
  const figure = (what: string, unit: string, key: keyof Rush): Figure => ({
    ...{ group, what, unit, value: ours[key], floor: bare[key], floorName: 'bare queries' },
  });
  return [
    figure('requests in the worst second', '1/s', 'worstSecond'),
    figure('requests in all', 'requests', 'requests'),
    figure('until all is right', 's', 'right'),
  ];
}
