/**
 * The load on Consul when a fault affects a whole fleet at once: requests in the worst second and in all, and
 * the time until every watch is up to date again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsulServer } from '../../../lab/consul.ts';
import { mostWithin } from '../../../test/support/meter.ts';
import { type FleetSetup, type Host, untilUpToDate } from './setup.ts';

export interface FaultLoad {
  /** The number of hosts that the fault affects. */
  readonly hosts: number;
  /** In the worst second, the fault included. */
  readonly worstSecond: number;
  readonly requests: number;
  /** In seconds, from the end of the fault until all hosts are up to date and nothing is in error. */
  readonly recovery: number;
}

/** How long a server is down, in ms: long enough that retries have backed off. */
const DOWN_TIME = 5_000;
/** Milliseconds until all requests of the start are over. */
const SETTLE_TIME = 2_000;
/** Milliseconds after the recovery in which requests still count. */
const TAIL_TIME = 5_000;

/** Each server is killed, the leader among them, and started again before the next. */
export const serversRestart = ({ consul }: FleetSetup, hosts: readonly Host[]): Promise<FaultLoad> =>
  loadOf(hosts, async () => {
    for (const server of consul.servers) await restart([server]);
    return undefined;
  });

/** All servers are killed together, and started again. */
export const allServersRestart = ({ consul }: FleetSetup, hosts: readonly Host[]): Promise<FaultLoad> =>
  loadOf(hosts, () => restart(consul.servers));

/** One client agent is killed, with all hosts on it, and started again. */
export const agentRestarts = ({ consul }: FleetSetup, hosts: readonly Host[]): Promise<FaultLoad> =>
  loadOf(
    hosts.filter(({ agent }) => agent === 0),
    () => restart(consul.agents.slice(0, 1)),
  );

/** Every key is written, one after the other, as a script does. */
export const allKeysEdited = (setup: FleetSetup, hosts: readonly Host[]): Promise<FaultLoad> =>
  loadOf(hosts, () => setup.editAll());

async function restart(members: readonly ConsulServer[]): Promise<undefined> {
  await Promise.all(members.map((member) => member.kill()));
  await sleep(DOWN_TIME);
  for (const member of members) member.start();
  await Promise.all(members.map((member) => member.untilReady()));
}

async function loadOf(hosts: readonly Host[], fault: () => Promise<string | undefined>): Promise<FaultLoad> {
  // Requests of the start must not count.
  await sleep(SETTLE_TIME);
  const started = performance.now();
  const beginning = await fault();
  const ended = performance.now();
  await untilUpToDate(hosts, beginning);
  const recovery = (performance.now() - ended) / 1_000;
  await sleep(TAIL_TIME);
  const times = hosts.flatMap(({ meter }) => meter.requests.filter((time) => time >= started));
  return { hosts: hosts.length, worstSecond: mostWithin(times, 1_000), requests: times.length, recovery };
}
