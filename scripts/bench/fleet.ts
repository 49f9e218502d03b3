/**
 * A fleet's watches against three Consul servers with client agents: the cost of a controller for Consul at
 * rest and under churn, compared with the same number of bare blocking queries, and the load when Consul is
 * restarted or all keys are edited. docs/scaling.md has the figures for thousands of hosts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { bulkReads } from './fleet/bulk.ts';
import { type Cost, costOf } from './fleet/cost.ts';
import {
  agentRestarts,
  allKeysEdited,
  allServersRestart,
  type FaultLoad,
  serversRestart,
} from './fleet/reconnect.ts';
import { closeHosts, type FleetSetup, type Kind, openHosts, openSetup } from './fleet/setup.ts';
import type { Figure } from './measure.ts';

export interface FleetBench {
  readonly agents: number;
  /** The services that each host watches. */
  readonly services: number;
  readonly keys: number;
  /** Numbers of hosts; the last is that of the faults. */
  readonly hosts: readonly number[];
  /** Duration at rest; a third of it under churn. It is a multiple of the 45 s that queries block. */
  readonly seconds: number;
}

export async function benchFleet(bench: FleetBench): Promise<readonly Figure[]> {
  await using setup = await openSetup(bench);
  const idle = await costOf(setup, [], bench.seconds, async () => {});
  const figures: Figure[] = [...(await bulk(setup))];
  for (const count of bench.hosts) {
    const bare = await costs(setup, 'bare queries', count, bench.seconds);
    const ours = await costs(setup, 'controllers', count, bench.seconds);
    const group = `one of ${count} hosts, ${bench.services} services and ${bench.keys} keys each`;
    for (const phase of PHASES)
      figures.push(...costFigures(group, phase, count, ours[phase], bare[phase], idle));
  }
  const count = bench.hosts.at(-1) ?? 1;
  const bare = await faultLoads(setup, 'bare queries', count);
  const ours = await faultLoads(setup, 'controllers', count);
  const watches = bench.services + 1;
  for (const what of FAULT_NAMES) figures.push(...faultFigures(what, watches, ours[what], bare[what]));
  return figures;
}

async function bulk(setup: FleetSetup): Promise<readonly Figure[]> {
  const stale = await bulkReads(setup, 'stale', 10);
  const consistent = await bulkReads(setup, 'consistent', 10);
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

const PHASES = ['at rest', 'one KV edit a second', 'one catalog change a second'] as const;
type Phase = (typeof PHASES)[number];

async function costs(
  setup: FleetSetup,
  kind: Kind,
  count: number,
  seconds: number,
): Promise<Record<Phase, Cost>> {
  const hosts = await openHosts(setup, kind, count);
  const changes: Readonly<Record<Phase, () => Promise<void>>> = {
    'at rest': async () => {},
    'one KV edit a second': setup.edit,
    'one catalog change a second': setup.registerOne,
  };
  try {
    // Requests of the start must not count.
    await sleep(5_000);
    const found: Partial<Record<Phase, Cost>> = {};
    for (const phase of PHASES) {
      const span = phase === 'at rest' ? seconds : Math.round(seconds / 3);
      found[phase] = await costOf(setup, hosts, span, changes[phase]);
    }
    return found as Record<Phase, Cost>;
  } finally {
    await closeHosts(hosts);
  }
}

function costFigures(
  group: string,
  phase: Phase,
  count: number,
  ours: Cost,
  bare: Cost,
  idle: Cost,
): readonly Figure[] {
  const figure = (what: string, unit: string, key: keyof Cost, scale = 1): Figure => ({
    ...{ group, what: `${what}, ${phase}`, unit },
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

const FAULTS = {
  'each of three servers is killed for 5 s, in turn': serversRestart,
  'all three servers are killed for 5 s': allServersRestart,
  'a client agent is killed for 5 s': agentRestarts,
  'every key is edited': allKeysEdited,
} as const;
type FaultName = keyof typeof FAULTS;
const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];

async function faultLoads(
  setup: FleetSetup,
  kind: Kind,
  count: number,
): Promise<Record<FaultName, FaultLoad>> {
  const found: Partial<Record<FaultName, FaultLoad>> = {};
  for (const name of FAULT_NAMES) {
    const hosts = await openHosts(setup, kind, count);
    try {
      found[name] = await FAULTS[name](setup, hosts);
    } finally {
      await closeHosts(hosts);
    }
  }
  return found as Record<FaultName, FaultLoad>;
}

function faultFigures(name: FaultName, watches: number, ours: FaultLoad, bare: FaultLoad): readonly Figure[] {
  const group = `${name}, ${ours.hosts} hosts of ${watches} watches`;
  const figure = (what: string, unit: string, key: keyof FaultLoad): Figure => ({
    ...{ group, what, unit, value: ours[key], floor: bare[key], floorName: 'bare queries' },
  });
  return [
    figure('requests in the worst second', '1/s', 'worstSecond'),
    figure('requests in all', 'requests', 'requests'),
    figure('recovery', 's', 'recovery'),
  ];
}
