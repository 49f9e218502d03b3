/** Whether the Engine makes rules, told from what it has made rules for. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineFirewall } from '../../../src/daemon/engine-firewall.ts';
import type { Container } from '../../../src/inventory/container.ts';
import type { Network } from '../../../src/inventory/network.ts';
import { byId, container } from '../../support/containers.ts';
import { FakeLog } from '../../support/fakes.ts';
import { prefix } from '../../support/host-claims.ts';

const network = (name: string, traits: Partial<Network> = {}): Network => ({
  ...{ id: name, name, driver: 'bridge', isInternal: false, bridge: `br-${name}`, options: {} },
  ...{ subnets: [], ...traits },
});

const published = (name: string, hostPort: number, second: number): Container =>
  container(name, {
    startedAt: `2026-01-01T00:00:0${second}Z`,
    networks: [{ ...{ id: 'net', name: 'net', endpoint: 'e' }, ipv4: prefix('172.18.0.2'), ipv6: undefined }],
    ports: [{ protocol: 'tcp', containerPort: 80, host: prefix('0.0.0.0/0'), hostPort }],
  });

class Host {
  rules = { hasChains: false, devices: new Set<string>(), ports: new Set<string>() };
  networks = new Map([['net', network('net')]]);
  containers: readonly Container[] = [];
  failure: Error | undefined;
  reads = 0;
  changes = 0;
  isConnected = true;
  readonly log = new FakeLog();
  readonly firewall = new EngineFirewall({
    ...{ log: this.log, retry: { first: 100, most: 100 }, random: () => 0.5 },
    onChange: () => {
      this.changes += 1;
    },
    read: async () => {
      this.reads += 1;
      if (this.failure !== undefined) throw this.failure;
      return this.rules;
    },
  });

  make(devices: readonly string[], ports: readonly string[] = []): void {
    this.rules = { hasChains: true, devices: new Set(devices), ports: new Set(ports) };
  }

  /** After a sync, and what it has caused. */
  async manages(): Promise<boolean | undefined> {
    const { networks, isConnected } = this;
    this.firewall.update({ containers: byId(...this.containers), networks, isConnected });
    await vi.advanceTimersByTimeAsync(1_500);
    return this.firewall.manages;
  }

  async restartEngine(): Promise<void> {
    this.isConnected = false;
    await this.manages();
    this.isConnected = true;
  }
}

describe('the Engine', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('makes no rules where it has no chains', async () => {
    expect(await new Host().manages()).toBe(false);
  });

  it('makes rules where its networks and the newest published port have some', async () => {
    const host = new Host();
    host.make(['br-net'], ['tcp 8080']);
    host.containers = [published('web', 8080, 1)];
    expect(await host.manages()).toBe(true);
    expect(await host.manages()).toBe(true);
    expect(host.reads).toBe(1);
  });

  it('makes none where its chains are of an earlier run: a port or a network came since', async () => {
    for (const change of ['port', 'network'] as const) {
      const host = new Host();
      host.make(['br-net']);
      expect(await host.manages()).toBe(true);
      if (change === 'port') host.containers = [published('web', 8080, 1)];
      else host.networks.set('later', network('later'));
      expect(await host.manages()).toBe(false);
    }
  });

  it('is not told to make none where a container was just ending', async () => {
    const host = new Host();
    host.make(['br-net'], ['tcp 8080']);
    host.containers = [published('web', 8080, 1), published('ending', 8081, 2)];
    host.firewall.update({
      containers: byId(...host.containers),
      networks: host.networks,
      isConnected: true,
    });
    await vi.advanceTimersByTimeAsync(500);
    expect(host.firewall.manages).toBeUndefined();
    host.containers = host.containers.slice(0, 1);
    expect(await host.manages()).toBe(true);
  });

  it('is asked again when it comes back, and not told apart by containers that were there before', async () => {
    const host = new Host();
    host.make(['br-net'], ['tcp 8080']);
    host.containers = [published('web', 8080, 1)];
    expect(await host.manages()).toBe(true);
    await host.restartEngine();
    expect(await host.manages()).toBe(true);
    host.containers = [...host.containers, published('later', 8081, 2)];
    expect(await host.manages()).toBe(false);
    host.make(['br-net'], ['tcp 8080', 'tcp 8081']);
    expect(await host.manages()).toBe(false);
    await host.restartEngine();
    expect(await host.manages()).toBe(true);
  });

  it('that made none makes none after a restart without containers', async () => {
    const host = new Host();
    host.make(['br-net']);
    host.containers = [published('web', 8080, 1)];
    expect(await host.manages()).toBe(false);
    await host.restartEngine();
    host.containers = [];
    expect(await host.manages()).toBe(false);
  });

  it('is no witness by what it makes no rules for: routed and internal networks, IPv6, macvlan', async () => {
    const host = new Host();
    const routed = { 'com.docker.network.bridge.gateway_mode_ipv4': 'routed' };
    host.networks = new Map(
      [
        network('net', { options: routed }),
        network('back', { isInternal: true }),
        network('vlan', { bridge: undefined }),
      ].map((one) => [one.id, one]),
    );
    host.make(['br-net']);
    host.containers = [published('web', 8080, 1)];
    expect(await host.manages()).toBe(true);
  });

  it('is not known while its rules cannot be read, which is told once', async () => {
    const host = new Host();
    host.failure = new Error('no nft');
    expect(await host.manages()).toBeUndefined();
    expect(host.reads).toBeGreaterThan(2);
    expect(host.firewall.error).toMatch(/cannot be read.*: no nft$/);
    expect(host.changes).toBe(1);
    host.failure = undefined;
    expect(await host.manages()).toBe(false);
    expect(host.firewall.error).toBeUndefined();
  });

  it('is not read again after the end, also if a read fails meanwhile', async () => {
    const host = new Host();
    host.failure = new Error('no nft');
    host.firewall.update({ containers: byId(), networks: host.networks, isConnected: true });
    host.firewall.close();
    await vi.advanceTimersByTimeAsync(0);
    expect([host.reads, vi.getTimerCount()]).toEqual([1, 0]);
  });
});
