/**
 * Expectations of all fault tests: port 80 of the server keeps working for a workload, and all else stays denied.
 */
import { expect } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from './egresstrator.ts';
import { comparing, type TestedLoader } from './engines.ts';
import { becomes, type Fixture, ipv4, putKey } from './fixture.ts';
import { Guard } from './guard.ts';
import type { Workload } from './workloads.ts';

/** For a controller whose keys are below a path of its own. */
export const argsFor = (
  { consul, image }: Fixture,
  path: string,
  loader: TestedLoader | 'auto',
): readonly string[] => [
  ...['-c', consul.address, '-k', `${path}/`, '-i', image, '--register', 'none'],
  ...['--loader', loader, ...comparing(loader)],
];

/** The key `db` below a path allows these ports of the server. */
export const edit = (fixture: Fixture, path: string, ...ports: readonly number[]): Promise<void> =>
  putKey(fixture, `${path}/db`, `${ipv4(fixture.server)}:tcp/${ports.join()}`);

/** Runs a workload, and waits until it is protected. */
export async function protect(fixture: Fixture, name: string): Promise<Workload> {
  const workload = await fixture.workloads.run(name, { acl: 'db' });
  await becomes(workload, ipv4(fixture.server), 81, 'refused');
  await becomes(workload, ipv4(fixture.server), 80, 'ok');
  return workload;
}

/** The other server's port is never allowed, port 80 of the server always. */
export function startGuard(fixture: Fixture, ...workloads: readonly Workload[]): Guard {
  const to = (protocol: 'tcp' | 'udp', one: Workload) => ({ protocol, address: ipv4(one), port: 80 });
  const denied = [to('tcp', fixture.other), to('udp', fixture.other)];
  return new Guard(workloads.map((workload) => ({ workload, denied, allowed: [to('tcp', fixture.server)] })));
}

/** Ends the guard and asserts that it has seen no failure. Returns the number of denied attempts. */
export async function assertNoBreach(guard: Guard): Promise<number> {
  const { attempts, breaches, losses } = await guard.stop();
  expect({ breaches, losses }).toEqual({ breaches: [], losses: [] });
  return attempts;
}

/** Waits until status lists no container whose name begins with one of these. */
export async function untilForgotten(
  { workloads }: Fixture,
  controller: RunningController,
  ...names: readonly string[]
): Promise<void> {
  const isOne = ({ target }: { readonly target: string }) =>
    names.some((name) => target.startsWith(workloads.nameOf(name)));
  const gone = async () => !(await controller.status()).namespaces.some(isOne);
  await waitFor(gone, { what: `${names} to be forgotten`, timeout: 60_000 });
}
