/** What a controller with a watch socket does while nobody reads there, and while somebody does. Sources and kernels are fakes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveConfig } from '../../../../src/config/config.ts';
import { Controller } from '../../../../src/daemon/controller.ts';
import { Telemetry } from '../../../../src/daemon/telemetry.ts';
import { Watch } from '../../../../src/daemon/watch/watch.ts';
import { createHostDataplane } from '../../../../src/dataplane/create-dataplane.ts';
import type { NamespaceCounters } from '../../../../src/dataplane/namespace-counters.ts';
import { loadTemplate } from '../../../../src/features/egress/included-templates.ts';
import { loadIngressTemplate } from '../../../../src/features/ingress/render.ts';
import { type DeniedRecord, NOTHING_DENIED } from '../../../../src/inventory/denied-record.ts';
import { container } from '../../../support/containers.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeConsul, FakeEngine, FakeKernel, FakeLog } from '../../../support/fakes.ts';
import { readLive } from '../../../support/live-stream.ts';
import { diagnosticsOf } from '../../../support/snapshot.ts';

/** Counts what is asked of it. */
class CountedKernel extends FakeKernel {
  reads = 0;
  looks = 0;
  denials = 0;

  override async denied(): Promise<DeniedRecord> {
    this.reads += 1;
    const one = { address: '10.0.0.7', protocol: 'tcp', port: 443, packets: this.denials };
    return { ...NOTHING_DENIED, destinations: this.denials > 0 ? [one] : [] };
  }

  override async egressCounters(): Promise<string> {
    return `${this.denials}`;
  }

  override async counters(): Promise<NamespaceCounters> {
    this.looks += 1;
    const text = `${this.denials}`;
    return { sent: text, failed: text, received: '', undelivered: '' };
  }
}

const NOWHERE = { run: () => Promise.reject(new Error('nothing runs on the host')) };

let folder: string;
let path: string;
const [consul, engine] = [new FakeConsul(), new FakeEngine()];
let kernel: CountedKernel;
let log: FakeLog;
let close: () => Promise<void>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egresstrator-watch-'));
  path = join(folder, 'watch', 'watch.sock');
  [kernel, log] = [new CountedKernel(), new FakeLog()];
  const group = `${process.getgid?.()}`;
  const flags = {
    register: 'none',
    deniedInterval: '0',
    watchSocket: path,
    watchGroup: group,
    consul: '127.0.0.1:1',
  };
  const config = resolveConfig(flags, {});
  const watch = new Watch({ socket: path, group }, log);
  const access = {
    ...{ dataplane: kernel, hostDataplane: createHostDataplane(NOWHERE) },
    ...{ loaderOf: () => 'nsenter', hostLoader: () => 'nsenter' },
  };
  const telemetry = new Telemetry(config, access, watch.log);
  const controller = new Controller(
    {
      ...{ template: loadTemplate('nftables'), ingressTemplate: loadIngressTemplate(), protectedHosts: [] },
      ...{ mode: 'enforce', prepare: [], concurrency: 4, driftInterval: 3_600_000, grace: 20 },
      ...{ retry: { first: 5, most: 20 }, random: () => 0.5, now: Date.now },
    },
    {
      ...{ rules: consul, containers: engine, dataplane: telemetry.dataplane, log: watch.log },
      ...{ previousState: undefined, persistState: () => {}, deniedReports: telemetry.deniedReports },
      ...{ onSynced: watch.onSynced, onReconciled: watch.onReconciled },
    },
  );
  telemetry.attach(controller);
  const services = {
    readService: async () => [],
    readCatalog: async () => ({ services: new Map(), unread: new Map<string, string>() }),
    readIngressKeys: async () => new Map<string, string>(),
    close: () => {},
  };
  const controls = {
    status: () => telemetry.status(controller),
    sources: () => ({ consul: '', kvPath: 'egress/acl/', ingressPath: '', docker: '' }),
    namespace: () => ({ namespace: undefined }),
    diagnostics: diagnosticsOf(() => ({})),
  };
  await watch.open({ controller, telemetry, services, controls, config, dataplane: kernel });
  close = async () => {
    await watch.close();
    await telemetry.close();
    await controller.close();
  };
  consul.put({ web: '10.0.0.1:tcp/80' });
  engine.run(container('web', { environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=web'] }));
  await eventually(() => expect(controller.answers.loadedNamespaces()).toHaveLength(1));
});
afterEach(async () => {
  await close();
  rmSync(folder, { recursive: true, force: true });
});

test('kernels are read for a reader alone, and a denial is sent to it', async () => {
  expect([kernel.reads, kernel.looks]).toEqual([0, 0]);
  const reader = readLive(path);
  await reader.until(({ workloads }) => workloads.size === 1);
  await eventually(() => expect(kernel.looks).toBeGreaterThan(2));
  kernel.denials = 3;
  const denied = await reader.until((state) => [...state.denied.values()][0]);
  expect(denied).toMatchObject({ container: 'web', address: '10.0.0.7', packets: 3 });
  reader.close();
});

test('what happened before somebody looks is on the timeline', async () => {
  consul.put({ web: '10.0.0.1:tcp/80\n10.0.0.2:tcp/80' });
  const reader = readLive(path);
  const texts = await reader.until(({ events }) => {
    const all = [...events.values()].map(({ kind, subject, text }) => `${kind} ${subject}: ${text}`);
    return all.filter((text) => text.includes('rules loaded')).length > 1 && all;
  });
  expect(texts[0]).toBe('controller the controller: started');
  expect(texts).toContain('key web: key edited, +1 −0 lines');
  expect(texts).toContain('load web: rules loaded');
  reader.close();
});

test('a failure of Consul to tell of other hosts is no line for people', async () => {
  const reader = readLive(path);
  await reader.until(({ controller }) => controller.size === 1);
  await eventually(() =>
    expect(log.messages('debug')).toContain('the status of other hosts could not be read'),
  );
  expect([...log.messages('warn'), ...log.messages('error')]).toEqual([]);
  reader.close();
});
