/**
 * The cost of a fleet over some time: requests counted by the meters, processor time and memory of Consul's processes
 * from /proc, and Consul's own count of its RPCs.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Consul, ConsulServer } from '../../../lab/consul.ts';
import { callConsul } from '../../../lab/consul.ts';
import type { FleetSetup, Host } from './setup.ts';

export interface Cost {
  readonly connections: number;
  /** All per minute. */
  readonly requests: number;
  readonly bytes: number;
  /** Of one core, in percent, all servers and all client agents. */
  readonly servers: number;
  readonly agents: number;
  /** Resident, of all servers and all client agents, in MB. */
  readonly serverMemory: number;
  readonly agentMemory: number;
  /** RPCs that the agents sent, and queries that the servers ran, by Consul's own count. Per minute. */
  readonly sent: number;
  readonly queries: number;
}

/** Measures for `seconds`, and calls `eachSecond` once a second. */
export async function costOf(
  { consul }: FleetSetup,
  hosts: readonly Host[],
  seconds: number,
  eachSecond: () => Promise<void>,
): Promise<Cost> {
  const [before, started] = [totals(consul, hosts), performance.now()];
  const rpcs = new RpcCounter(consul);
  for (let second = 0; second < seconds; second += 1) {
    await eachSecond();
    if (second % 5 === 4) await rpcs.look();
    await sleep(Math.max(0, started + (second + 1) * 1_000 - performance.now()));
  }
  const after = totals(consul, hosts);
  const minutes = (performance.now() - started) / 60_000;
  return {
    connections: sum(hosts.map(({ meter }) => meter.connections)),
    requests: (after.requests - before.requests) / minutes,
    bytes: (after.bytes - before.bytes) / minutes,
    servers: (after.servers - before.servers) / 0.6 / minutes,
    agents: (after.agents - before.agents) / 0.6 / minutes,
    serverMemory: sum(consul.servers.map(memory)),
    agentMemory: sum(consul.agents.map(memory)),
    ...rpcs.perMinute,
  };
}

function totals({ servers, agents }: Consul, hosts: readonly Host[]) {
  return {
    requests: sum(hosts.map(({ meter }) => meter.count.requests)),
    bytes: sum(hosts.map(({ meter }) => meter.count.bytes)),
    servers: sum(servers.map(processorTime)),
    agents: sum(agents.map(processorTime)),
  };
}

export const sum = (values: readonly number[]): number => values.reduce((one, other) => one + other, 0);

const memory = ({ pid }: ConsulServer): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_000;

/** Seconds, user and system; the kernel counts in hundredths. */
export function processorTime({ pid }: ConsulServer): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Consul reports its last whole interval of ten seconds. So it is read more often, and each interval counts once. */
class RpcCounter {
  readonly #consul: Consul;
  /** Intervals that began before this are ignored. */
  readonly #from = Date.now();
  /** Member and interval → count. */
  readonly #sent = new Map<string, number>();
  readonly #queries = new Map<string, number>();

  constructor(consul: Consul) {
    this.#consul = consul;
  }

  async look(): Promise<void> {
    const { agents, servers } = this.#consul;
    await Promise.all([
      ...agents.map((agent) => this.#read(agent, 'consul.client.rpc', this.#sent)),
      ...servers.map((server) => this.#read(server, 'consul.rpc.query', this.#queries)),
    ]);
  }

  /** The mean over the intervals seen; an interval without any such RPC counts too. */
  get perMinute(): Pick<Cost, 'sent' | 'queries'> {
    const { agents, servers } = this.#consul;
    return { sent: mean(this.#sent) * 6 * agents.length, queries: mean(this.#queries) * 6 * servers.length };
  }

  async #read({ address }: ConsulServer, name: string, into: Map<string, number>): Promise<void> {
    const { body } = await callConsul({ address }, 'GET', '/v1/agent/metrics');
    const metrics = body as Metrics;
    if (startOf(metrics) < this.#from) return;
    const found = metrics.Counters.find(({ Name, Labels = {} }) => Name === name && isEmpty(Labels));
    into.set(`${address} ${metrics.Timestamp}`, found?.Count ?? 0);
  }
}

interface Metrics {
  readonly Timestamp: string;
  readonly Counters: readonly {
    readonly Name: string;
    readonly Count: number;
    readonly Labels?: Readonly<Record<string, string>>;
  }[];
}

/** `2026-01-31 12:00:10 +0000 UTC`, when the interval began, in ms since the epoch. */
const startOf = ({ Timestamp }: Metrics): number =>
  Date.parse(Timestamp.replace(/^(\S+) (\S+) .*$/, '$1T$2Z'));

const isEmpty = (object: object): boolean => Object.keys(object).length === 0;

const mean = (counts: ReadonlyMap<string, number>): number =>
  sum([...counts.values()]) / Math.max(counts.size, 1);
