/**
 * A workload under a controller that loses its Consul, and the assertions for that time.
 */
import { expect } from 'vitest';
import type { Consul } from '../../lab/consul.ts';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from './egresstrator.ts';
import { assertNoBreach, protect, startGuard } from './faults.ts';
import { becomes, control, type Fixture, ipv4, putKey, summary } from './fixture.ts';
import { type Footprint, footprint, nothingLeaked } from './footprint.ts';
import { handles } from './kernel.ts';
import { connects, type Workload } from './workloads.ts';

/** Milliseconds from the end of a trouble to an edit that counts; retries have backed off a little by then. */
const SECONDS = 10_000;

/** One controller and its workload, which may reach port 80 of the server, and nothing else. */
export class ConsulSetup implements AsyncDisposable {
  readonly fixture: Fixture;
  readonly consul: Consul;
  /** Of the workload, and the path of its keys. */
  readonly name: string;
  readonly controller: RunningController;
  readonly workload: Workload;
  readonly before: Footprint;

  constructor(
    fixture: Fixture,
    consul: Consul,
    name: string,
    controller: RunningController,
    workload: Workload,
    before: Footprint,
  ) {
    this.fixture = fixture;
    this.consul = consul;
    this.name = name;
    this.controller = controller;
    this.workload = workload;
    this.before = before;
  }

  /** `args` say where the controller finds this Consul. */
  static async open(
    fixture: Fixture,
    consul: Consul,
    name: string,
    args: readonly string[],
  ): Promise<ConsulSetup> {
    await putKey({ ...fixture, consul }, `${name}/db`, `${ipv4(fixture.server)}:tcp/80`);
    const own = ['--drift-interval', '1', '--register', 'none', ...args];
    const controller = await control(fixture, `${name}/`, own);
    const workload = await protect(fixture, name);
    return new ConsulSetup(
      fixture,
      consul,
      name,
      controller,
      workload,
      await footprint(controller, fixture.workloads),
    );
  }

  edit(...rules: readonly string[]): Promise<void> {
    return putKey({ ...this.fixture, consul: this.consul }, `${this.name}/db`, ...rules);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fixture.workloads.remove(this.workload).catch(() => {});
    await this.controller[Symbol.asyncDispose]();
  }
}

/** The trouble begins when called; the result ends it. */
export type Trouble = () => Promise<() => Promise<void> | void>;

/** Asserts everything that must hold during and after a fault; `error`: the error that status shows meanwhile. */
export async function assertRecovers(
  setup: ConsulSetup,
  what: string,
  trouble: Trouble,
  error?: RegExp,
): Promise<void> {
  const { fixture, controller, workload } = setup;
  await using guard = startGuard(fixture, workload);
  const loaded = await handles(workload.pid);
  const over = await trouble();
  const late = await protect(fixture, `${setup.name}-late`);
  if (error !== undefined) await showsError(controller, error);
  expect(await handles(workload.pid)).toBe(loaded);
  await over();
  await recovers(setup, what);
  expect(await assertNoBreach(guard)).toBeGreaterThan(20);
  await fixture.workloads.remove(late);
  await nothingLeaked(setup.before, controller, fixture.workloads);
}

async function showsError(controller: RunningController, error: RegExp): Promise<void> {
  const hasError = async () => (await controller.status()).sources.some((one) => error.test(one.error ?? ''));
  await waitFor(hasError, { what: `status to say ${error}`, timeout: 30_000 });
}

/** Asserts that the next edit takes effect, and that status shows no error any more. */
async function recovers(setup: ConsulSetup, what: string): Promise<void> {
  const { fixture, controller, workload } = setup;
  const server = ipv4(fixture.server);
  const ended = performance.now();
  const edited = async () => {
    await setup.edit(`${server}:tcp/80-81`).catch(() => {});
    return (await connects(workload, server, 81)) === 'ok';
  };
  await waitFor(edited, { what: 'an edit to count again', timeout: 40_000, interval: 100 });
  const waited = performance.now() - ended;
  expect(summary(`Engine ${fixture.engine.version}, ${what}: end to edit enforced`, [waited])).toBeLessThan(
    SECONDS,
  );
  const healthy = async () => (await controller.status()).sources.every((one) => one.error === undefined);
  await waitFor(healthy, { what: 'no error in status', timeout: 20_000 });
  await setup.edit(`${server}:tcp/80`);
  await becomes(workload, server, 81, 'refused');
}
