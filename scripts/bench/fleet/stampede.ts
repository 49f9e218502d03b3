/**
 * What a fleet does to Consul when something happens to all of it at once: requests in the worst second,
 * in all, and how long until every watch is right again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsulServer } from '../../../lab/consul.ts';
import { mostWithin } from '../../../test/support/meter.ts';
import { type Host, type Scene, untilRight } from './scene.ts';

export interface Rush {
  /** Of the hosts that it meets. */
  readonly hosts: number;
  /** In the worst second, the fault included. */
  readonly worstSecond: number;
  readonly requests: number;
  /** In seconds, from the end of the fault until all hosts are up to date and nothing is in error. */
  readonly right: number;
}

/** How long it is away, in ms: long enough for pauses to have grown. */
const AWAY = 5_000;
/** What hosts ask when they have just come up, is asked. */
const SETTLED = 2_000;
/** Late requests belong to it too. */
const AFTER = 5_000;

/** Each server is killed, the leader among them, and started again before the next. */
export const serversRestart = ({ consul }: Scene, hosts: readonly Host[]): Promise<Rush> =>
  rushOf(hosts, async () => {
    for (const server of consul.servers) await killed([server]);
    return undefined;
  });

/** All servers are killed together, and started again. */
export const allServersRestart = ({ consul }: Scene, hosts: readonly Host[]): Promise<Rush> =>
  rushOf(hosts, () => killed(consul.servers));

/** One client agent is killed, with all hosts on it, and started again. */
export const agentRestarts = ({ consul }: Scene, hosts: readonly Host[]): Promise<Rush> =>
  rushOf(
    hosts.filter(({ agent }) => agent === 0),
    () => killed(consul.agents.slice(0, 1)),
  );

/** Every key is written, one after the other, as a script does. */
export const allKeysEdited = (scene: Scene, hosts: readonly Host[]): Promise<Rush> =>
  rushOf(hosts, () => scene.editAll());

async function killed(members: readonly ConsulServer[]): Promise<undefined> {
  await Promise.all(members.map((member) => member.kill()));
  await sleep(AWAY);
  for (const member of members) member.start();
  await Promise.all(members.map((member) => member.untilReady()));
}

async function rushOf(hosts: readonly Host[], fault: () => Promise<string | undefined>): Promise<Rush> {
  // Until nothing of the start is on its way any more.
  await sleep(SETTLED);
  const started = performance.now();
  const beginning = await fault();
  const ended = performance.now();
  await untilRight(hosts, beginning);
  const right = (performance.now() - ended) / 1_000;
  await sleep(AFTER);
  const times = hosts.flatMap(({ meter }) => meter.requests.filter((time) => time >= started));
  return { hosts: hosts.length, worstSecond: mostWithin(times, 1_000), requests: times.length, right };
}
