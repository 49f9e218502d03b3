/**
 * A controller whose sources and kernels are fakes, and functions that wait until it is idle.
 */
import { onTestFinished } from 'vitest';
import type { LastKnownState } from '../../src/daemon/consul-cache.ts';
import { Controller } from '../../src/daemon/controller.ts';
import type { ControllerOptions, ControllerPorts } from '../../src/daemon/controller-ports.ts';
import { Metrics } from '../../src/daemon/metrics/metrics.ts';
import type { NamesPorts } from '../../src/daemon/name-rules.ts';
import type { HostDataplane } from '../../src/dataplane/dataplane.ts';
import type { Gate } from '../../src/features/egress/gate.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import type { PersistedOverrides } from '../../src/features/egress/overrides.ts';
import type { PersistedPorts } from '../../src/features/host/port-overrides.ts';
import type { IngressGate } from '../../src/features/ingress/gate.ts';
import { loadIngressTemplate } from '../../src/features/ingress/render.ts';
import type { EngineRules } from '../../src/inventory/engine-rules.ts';
import type { ContainerSource } from '../../src/inventory/sources.ts';
import type { Loads } from '../../src/reconciler/load-records.ts';
import { compareMetricsWithStatus, compareStatusWithKernel } from './agreement.ts';
import { FakeConsul, FakeEngine, FakeKernel, FakeLog } from './fakes.ts';

export interface FakeSetup {
  readonly consul: FakeConsul;
  readonly engine: FakeEngine;
  readonly kernel: FakeKernel;
  readonly log: FakeLog;
  readonly persisted: LastKnownState[];
  /** What is kept of what it has loaded. */
  readonly persistedLoads: { readonly current: Loads };
  readonly persistedIngressLoads: { readonly current: Loads };
  /** Containers whose rules were found altered. */
  readonly drifts: readonly string[];
  readonly controller: Controller;
  /** Resolves when nothing is left to do; what it tells of itself must then agree with the kernel. */
  rest(): Promise<void>;
}

export interface FakeOptions extends Partial<ControllerOptions> {
  readonly consul?: FakeConsul;
  readonly engine?: FakeEngine;
  readonly kernel?: FakeKernel;
  readonly previousState?: LastKnownState;
  readonly previousLoads?: Loads;
  readonly previousIngressLoads?: Loads;
  readonly previousOverrides?: PersistedOverrides;
  readonly persistOverrides?: (overrides: PersistedOverrides) => void;
  readonly gate?: Gate;
  readonly ingressGate?: IngressGate;
  readonly hostDataplane?: HostDataplane;
  readonly previousPorts?: PersistedPorts | undefined;
  readonly readEngineRules?: (() => Promise<EngineRules>) | undefined;
  readonly persistPorts?: (ports: PersistedPorts) => void;
  /** For networks.json. */
  readonly networksPorts?: Pick<
    ControllerPorts,
    | ('watchFile' | 'networkMaker' | 'namespaceRoutes' | 'namespaceConnections')
    | ('hostFacts' | 'previousNetworks' | 'persistNetworks' | 'previousInner' | 'persistInner')
  >;
  /** What answers names. */
  readonly names?: NamesPorts | undefined;
  /** Instead of `engine`. */
  readonly containers?: ContainerSource;
}

/** It ends with the test that starts it, if not before. */
export function startFake(given: FakeOptions = {}): FakeSetup {
  const {
    consul = new FakeConsul(),
    engine = new FakeEngine(),
    kernel = new FakeKernel(),
    previousState,
    previousLoads,
    previousIngressLoads,
    previousOverrides,
    persistOverrides,
    gate,
    ingressGate,
    hostDataplane,
    previousPorts,
    persistPorts,
    networksPorts = {},
    names,
    readEngineRules,
    containers = engine,
    ...rest
  } = given;
  const log = new FakeLog();
  const persisted: LastKnownState[] = [];
  const persistedLoads: { current: Loads } = { current: new Map() };
  const persistedIngressLoads: { current: Loads } = { current: new Map() };
  const drifts: string[] = [];
  const options: ControllerOptions = {
    template: loadTemplate('nftables'),
    ingressTemplate: loadIngressTemplate(),
    protectedHosts: [],
    mode: 'enforce',
    prepare: [],
    concurrency: 4,
    driftInterval: 3_600_000,
    grace: 20,
    retry: { first: 5, most: 20 },
    random: () => 0.5,
    now: Date.now,
    ...rest,
  };
  const controller = new Controller(options, {
    rules: consul,
    containers,
    dataplane: kernel,
    readEngineRules,
    log,
    previousState,
    gate,
    names,
    ingressGate,
    persistState: (state) => persisted.push(state),
    previousLoads,
    previousOverrides,
    ...(persistOverrides && { persistOverrides }),
    ...{ hostDataplane, previousPorts },
    ...(persistPorts && { persistPorts }),
    ...networksPorts,
    previousIngressLoads,
    persistIngressLoads: (loads) => {
      persistedIngressLoads.current = new Map(loads);
    },
    persistLoads: (loads) => {
      persistedLoads.current = new Map(loads);
    },
    onDrift: (name) => drifts.push(name),
  });
  onTestFinished(() => controller.close());
  const settle = async () => {
    for (let turn = 0; turn < 4; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 12));
      await controller.idle();
    }
    await assertConsistent(controller, kernel);
  };
  return {
    consul,
    engine,
    kernel,
    log,
    persisted,
    persistedLoads,
    persistedIngressLoads,
    drifts,
    controller,
    rest: settle,
  };
}

/** Throws with what status or metrics tell otherwise than the kernel. */
async function assertConsistent(controller: Controller, kernel: FakeKernel): Promise<void> {
  const status = controller.answers.status();
  const about = { version: '0', loaders: ['helper'], denied: () => new Map() };
  const { text } = await new Metrics({ ...about, status: () => status }).render();
  const wrong = [
    ...compareStatusWithKernel(status, (id) => kernel.held(id)),
    ...compareMetricsWithStatus(status, text),
  ];
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}
