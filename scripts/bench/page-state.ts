/**
 * What the live state of the page costs the controller on a large host, without an Engine: the controller is real, its
 * sources and kernels are generated. The longest time for which nothing else could run matters most, because names
 * are answered on the same thread.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { resolveConfig } from '../../src/config/config.ts';
import { Controller } from '../../src/daemon/controller.ts';
import type { ControllerOptions } from '../../src/daemon/controller-ports.ts';
import { Telemetry } from '../../src/daemon/telemetry.ts';
import { ControllerState } from '../../src/daemon/watch/controller-state.ts';
import { changesText, snapshotText } from '../../src/daemon/watch/live-text.ts';
import { Timeline } from '../../src/daemon/watch/timeline.ts';
import { createHostDataplane } from '../../src/dataplane/create-dataplane.ts';
import type { NamespaceRef } from '../../src/dataplane/dataplane.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { loadIngressTemplate } from '../../src/features/ingress/render.ts';
import { type DeniedRecord, NOTHING_DENIED } from '../../src/inventory/denied-record.ts';
import { changesBetween, EMPTY_STATE, type LiveState } from '../../src/live/state.ts';
import { container } from '../../test/support/containers.ts';
import { FakeConsul, FakeEngine, FakeKernel, FakeLog } from '../../test/support/fakes.ts';
import type { Figure } from './measure.ts';

export interface PageStateBench {
  readonly workloads: number;
  /** Denied destinations of each. */
  readonly denied: number;
  readonly keys: number;
}

const GROUP = 'page, made by the controller';
/** Milliseconds for which names wait. */
const MOST_HELD = 25;

class DenyingKernel extends FakeKernel {
  round = 0;
  readonly #denied: number;

  constructor(denied: number) {
    super();
    this.#denied = denied;
  }

  /** In later rounds the first namespaces deny once more. */
  override async denied({ name }: Partial<NamespaceRef> = {}): Promise<DeniedRecord> {
    const number = Number(name?.slice(4));
    const more = number < 10 ? this.round : 0;
    const destinations = Array.from({ length: this.#denied }, (_, index) => ({
      ...{ address: `10.${number % 200}.${index}.9`, protocol: 'tcp', port: 5432, packets: 1 + more },
    }));
    return { ...NOTHING_DENIED, destinations };
  }
}

export async function benchPageState(bench: PageStateBench): Promise<readonly Figure[]> {
  const { workloads, denied, keys } = bench;
  const [consul, engine, kernel] = [new FakeConsul(), new FakeEngine(), new DenyingKernel(denied)];
  const [config, log] = [resolveConfig({ register: 'none' }, {}), new FakeLog()];
  const access = {
    dataplane: kernel,
    hostDataplane: createHostDataplane(NOWHERE),
    loaderOf: () => 'nsenter',
    hostLoader: () => 'nsenter',
  };
  const telemetry = new Telemetry(config, access, log);
  const controller = new Controller(OPTIONS, {
    ...{ rules: consul, containers: engine, dataplane: telemetry.dataplane, log },
    ...{ previousState: undefined, persistState: () => {}, onReconciled: telemetry.onReconciled },
  });
  telemetry.attach(controller);
  const parts = {
    controller,
    telemetry,
    config,
    timeline: new Timeline(Date.now),
    now: Date.now,
    offset: () => 0,
  };
  const state = new ControllerState(
    { ...parts, services: servicesOf(consul), cluster: { hosts: () => new Map() } },
    () => {},
  );
  try {
    consul.put(keyTexts(keys));
    engine.run(...Array.from({ length: workloads }, (_, index) => workload(index, keys)));
    await controller.idle();
    while (controller.answers.loadedNamespaces().length < workloads) await turn();
    await telemetry.denied();
    return await measure(state, kernel, telemetry, bench, (texts) =>
      consul.put({ ...keyTexts(keys), ...texts }),
    );
  } finally {
    state.close();
    await telemetry.close();
    await controller.close();
  }
}

async function measure(
  state: ControllerState,
  kernel: DenyingKernel,
  telemetry: Telemetry,
  { workloads, denied }: PageStateBench,
  put: (texts: Readonly<Record<string, string>>) => void,
): Promise<readonly Figure[]> {
  // The catalog is read once denials are known.
  const warm = await state.next(EMPTY_STATE);
  const all = `${workloads} workloads, ${workloads * denied} denials`;
  const first = await held(() => state.next({ ...EMPTY_STATE, denied: warm.denied }));
  const same = await held(() => state.next(first.result));
  kernel.round += 1;
  await telemetry.denied(({ target }) => Number(target.name.slice(4)) < 10);
  const more = await held(() => state.next(same.result));
  put({ 'key-0': '10.0.0.1:tcp/1' });
  await turn();
  const edited = await held(() => state.next(more.result));
  return [
    ...figures(`all of it, ${all}`, first),
    figure('all of it as text', sizeOf(snapshotText(NOW, first.result)) / 1e6, 'MB'),
    ...figures('nothing has changed', same),
    ...figures('ten workloads were denied more', more),
    figure('as text', changesSize(same.result, more.result) / 1e3, 'kB'),
    ...figures('a key was edited', edited),
  ];
}

const NOW = { revision: 1, at: 0 };
const sizeOf = (pieces: Iterable<string>): number => [...pieces].reduce((sum, { length }) => sum + length, 0);
const changesSize = (before: LiveState, after: LiveState): number => {
  const changes = changesBetween(before, after);
  return changes === undefined ? 0 : sizeOf(changesText(NOW, changes));
};

interface Held<T> {
  readonly result: T;
  /** Milliseconds in all, and the longest for which nothing else ran. */
  readonly all: number;
  readonly longest: number;
}

async function held<T>(work: () => Promise<T>): Promise<Held<T>> {
  const started = performance.now();
  let last = started;
  let longest = 0;
  let isOver = false;
  const others = async () => {
    while (!isOver) {
      await turn();
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
  };
  const watching = others();
  const result = await work();
  const all = performance.now() - started;
  isOver = true;
  await watching;
  return { result, all, longest };
}

const figure = (what: string, value: number, unit: string, most?: number): Figure => ({
  ...{ group: GROUP, what, value, unit },
  ...(most === undefined ? {} : { most }),
});

const figures = (what: string, { all, longest }: Held<unknown>): readonly Figure[] => [
  figure(what, all, 'ms'),
  figure(`${what}: others wait at most`, longest, 'ms', MOST_HELD),
];

/** The host of this bench has no rules. */
const NOWHERE = { run: () => Promise.reject(new Error('nothing runs on the host')) };

const OPTIONS: ControllerOptions = {
  ...{ template: loadTemplate('nftables'), ingressTemplate: loadIngressTemplate(), protectedHosts: [] },
  ...{ mode: 'enforce', prepare: [], concurrency: 4, driftInterval: 3_600_000, grace: 20 },
  ...{ retry: { first: 5, most: 20 }, random: Math.random, now: Date.now },
};

const workload = (index: number, keys: number) =>
  container(`web-${index}`, {
    environment: ['EGRESSTRATOR_ENABLE=1', `EGRESSTRATOR_ACL=key-${index % keys},key-${(index + 1) % keys}`],
  });

const keyTexts = (keys: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: keys }, (_, index) => [
      `key-${index}`,
      [
        `service-${index}`,
        ...Array.from({ length: 20 }, (_, line) => `10.${index % 200}.${line}.1:tcp/443`),
      ].join('\n'),
    ]),
  );

function servicesOf(consul: FakeConsul) {
  const all = Array.from(
    { length: 500 },
    (_, index) =>
      [
        `service-${index}`,
        [{ address: `10.${index % 200}.3.9`, port: 5432, tags: [], node: 'far' }],
      ] as const,
  );
  for (const [name, instances] of all) consul.register(name, instances);
  return {
    readService: async () => [],
    readCatalog: async () => ({ services: new Map(all), unread: new Map<string, string>() }),
  };
}
