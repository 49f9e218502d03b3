/**
 * A whole controller on bare namespaces: Consul and the Engine are fakes, the kernel, the sockets and the proxy of names
 * are real. The resolver is on loopback, and one namespace is all of the internet.
 */
import { onTestFinished } from 'vitest';
import type { Namespace } from '../../lab/netns.ts';
import { waitFor } from '../../lab/wait.ts';
import { steadyNow } from '../../src/common/steady-clock.ts';
import { Controller } from '../../src/daemon/controller.ts';
import type { NamesPorts } from '../../src/daemon/name-rules.ts';
import type { NamesRecord } from '../../src/daemon/state/names-file.ts';
import { createDataplane } from '../../src/dataplane/create-dataplane.ts';
import type { NamespaceRef } from '../../src/dataplane/dataplane.ts';
import { NsenterRunner } from '../../src/dataplane/nsenter.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { loadIngressTemplate } from '../../src/features/ingress/render.ts';
import type { Container } from '../../src/inventory/container.ts';
import { readLoadedNames } from '../../src/name-proxy/loaded-names.ts';
import { NameProxy, type ProxySettings } from '../../src/name-proxy/name-proxy.ts';
import { prepareCgroup } from '../../src/name-proxy/proxy-cgroup.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import type { Loads } from '../../src/reconciler/load-records.ts';
import { container } from '../support/containers.ts';
import { FakeConsul, FakeEngine, FakeLog } from '../support/fakes.ts';

export interface NamesHostOptions {
  readonly upstream: Endpoint;
  /** Seconds beyond the lifetime of a record. */
  readonly grace?: number;
  readonly open?: ProxySettings['open'];
  /** Of an earlier one on the same namespaces. */
  readonly previous?: { readonly names?: NamesRecord; readonly loads?: Loads };
}

export interface NamesHost {
  readonly consul: FakeConsul;
  readonly engine: FakeEngine;
  readonly log: FakeLog;
  readonly controller: Controller;
  /** What it has stored. */
  readonly stored: { names: NamesRecord; loads: Loads };
  /** Waits until names are answered in the namespaces of these containers. */
  answering(...names: readonly string[]): Promise<void>;
  /** How many are granted. */
  addresses(name: string): number | undefined;
  /** Ends it; what it has loaded stays. */
  close(): Promise<void>;
}

/** A workload that names the key `api`. */
export const workloadIn = ({ name }: Pick<Namespace, 'name'>, traits: Partial<Container> = {}): Container =>
  container(name, {
    ...{ pid: 2 ** 22 + 1, sandbox: `/run/netns/${name}`, startedAt: '2026-01-01T00:00:00Z' },
    environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=api'],
    ...traits,
  });

/** It ends with the test. */
export function startNamesHost(options: NamesHostOptions, ...containers: readonly Container[]): NamesHost {
  const [consul, engine, log] = [new FakeConsul(), new FakeEngine(), new FakeLog()];
  const stored: NamesHost['stored'] = { names: new Map(), loads: new Map() };
  engine.run(...containers);
  const controller = new Controller(OPTIONS, {
    ...{ rules: consul, containers: engine, log, names: namesOf(options, stored) },
    dataplane: createDataplane(new NsenterRunner()),
    ...{ previousState: undefined, persistState: () => undefined, previousLoads: options.previous?.loads },
    persistLoads: (loads) => {
      stored.loads = new Map(loads);
    },
  });
  const close = () => controller.close();
  onTestFinished(close);
  const reportOf = (name: string) =>
    controller.answers.status().namespaces.find(({ target }) => target === name)?.names;
  return {
    ...{ consul, engine, log, controller, stored, close },
    addresses: (name) => reportOf(name)?.addresses,
    answering: (...names) =>
      waitFor(() => names.every((name) => reportOf(name)?.state === 'answering'), {
        what: 'answers for names',
        timeout: 300_000,
      }).then(() => undefined),
  };
}

const OPTIONS = {
  ...{ template: loadTemplate('nftables'), ingressTemplate: loadIngressTemplate(), protectedHosts: [] },
  ...({ mode: 'enforce', prepare: [], concurrency: 4, driftInterval: 3_600_000, grace: 20 } as const),
  ...{ retry: { first: 50, most: 500 }, random: () => 0.5, now: steadyNow },
};

const namesOf = (
  { upstream, grace = 300, open, previous }: NamesHostOptions,
  stored: NamesHost['stored'],
): NamesPorts => ({
  unavailable: undefined,
  start: () => {
    // The proxy releases it at its end.
    const cgroup = prepareCgroup();
    const proxy = new NameProxy({
      ...{ upstream: () => [upstream], consul: () => undefined, cgroup, now: steadyNow },
      onDefect: (error) => {
        throw error;
      },
      limits: {
        ...{ grants: { perName: 1_000, perNamespace: 30_000 }, perSecond: 100_000 },
        fresh: { perMinute: 1_000_000, memory: 2_000 },
      },
      ...(open && { open }),
    });
    const recall = (namespace: NamespaceRef) => readLoadedNames(namespace, steadyNow);
    return { proxy, cgroup, recall, unavailable: Promise.resolve(undefined) };
  },
  policies: {
    ...{ grace, answer: 'refused', protectedHosts: [], consul: [] },
    ownAddresses: () => [],
  },
  previous: previous?.names ?? new Map(),
  persist: (state) => {
    stored.names = state();
  },
});
