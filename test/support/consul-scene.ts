/**
 * A workload under a controller that loses its Consul in some way, and what must hold then.
 */
import { expect } from 'vitest';
import type { Consul } from '../../lab/consul.ts';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from './egresstrator.ts';
import { guardOver, protect, unharmed } from './endurance.ts';
import { type Footprint, footprint, nothingLeaked } from './footprint.ts';
import { handles } from './kernel.ts';
import { becomes, control, ipv4, putKey, type Stage, summary } from './stage.ts';
import { connects, type Workload } from './workloads.ts';

/** Milliseconds from the end of a trouble to an edit that counts; retries have backed off a little by then. */
const SECONDS = 10_000;

/** One controller and its workload, which may reach port 80 of the server, and nothing else. */
export class Scene implements AsyncDisposable {
  readonly stage: Stage;
  readonly consul: Consul;
  /** Of the workload, and the path of its keys. */
  readonly name: string;
  readonly controller: RunningController;
  readonly workload: Workload;
  readonly before: Footprint;

  constructor(
    stage: Stage,
    consul: Consul,
    name: string,
    controller: RunningController,
    workload: Workload,
    before: Footprint,
  ) {
    this.stage = stage;
    this.consul = consul;
    this.name = name;
    this.controller = controller;
    this.workload = workload;
    this.before = before;
  }

  /** `args` say where the controller finds this Consul. */
  static async open(stage: Stage, consul: Consul, name: string, args: readonly string[]): Promise<Scene> {
    await putKey({ ...stage, consul }, `${name}/db`, `${ipv4(stage.server)}:tcp/80`);
    const own = ['--drift-interval', '1', '--register', 'none', ...args];
    const controller = await control(stage, `${name}/`, own);
    const workload = await protect(stage, name);
    return new Scene(stage, consul, name, controller, workload, await footprint(controller, stage.workloads));
  }

  edit(...rules: readonly string[]): Promise<void> {
    return putKey({ ...this.stage, consul: this.consul }, `${this.name}/db`, ...rules);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stage.workloads.remove(this.workload).catch(() => {});
    await this.controller[Symbol.asyncDispose]();
  }
}

/** The trouble begins when called; the result ends it. */
export type Trouble = () => Promise<() => Promise<void> | void>;

/** Everything that must hold during and after a trouble; `error`: what status says of it meanwhile. */
export async function endure(scene: Scene, what: string, trouble: Trouble, error?: RegExp): Promise<void> {
  const { stage, controller, workload } = scene;
  await using guard = guardOver(stage, workload);
  const loaded = await handles(workload.pid);
  const over = await trouble();
  const late = await protect(stage, `${scene.name}-late`);
  if (error !== undefined) await saysError(controller, error);
  expect(await handles(workload.pid)).toBe(loaded);
  await over();
  await recovers(scene, what);
  expect(await unharmed(guard)).toBeGreaterThan(20);
  await stage.workloads.remove(late);
  await nothingLeaked(scene.before, controller, stage.workloads);
}

async function saysError(controller: RunningController, error: RegExp): Promise<void> {
  const said = async () => (await controller.status()).sources.some((one) => error.test(one.error ?? ''));
  await waitFor(said, { what: `status to say ${error}`, timeout: 30_000 });
}

/** The next edit counts, and nothing is complained of any more. */
async function recovers(scene: Scene, what: string): Promise<void> {
  const { stage, controller, workload } = scene;
  const server = ipv4(stage.server);
  const ended = performance.now();
  const edited = async () => {
    await scene.edit(`${server}:tcp/80-81`).catch(() => {});
    return (await connects(workload, server, 81)) === 'ok';
  };
  await waitFor(edited, { what: 'an edit to count again', timeout: 40_000, interval: 100 });
  const waited = performance.now() - ended;
  expect(summary(`Engine ${stage.engine.version}, ${what}: end to edit enforced`, [waited])).toBeLessThan(
    SECONDS,
  );
  const healthy = async () => (await controller.status()).sources.every((one) => one.error === undefined);
  await waitFor(healthy, { what: 'no error in status', timeout: 20_000 });
  await scene.edit(`${server}:tcp/80`);
  await becomes(workload, server, 81, 'refused');
}
