/**
 * What Nomad's bridge mode does: a container with no network of Docker's, into whose namespace CNI plugins put one.
 *
 * The plugins of the chain are run one after the other, as a CNI runtime does. They write rules and make a bridge in
 * the network namespace where they run, so they run in the Engine's own, and never in this machine's.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureFiles } from '../../lab/apt.ts';
import type { Engine } from '../../lab/engine.ts';
import { LabError } from '../../lab/errors.ts';

const PLUGINS = '/usr/lib/cni';
/** No longer than a device's name may be. */
const BRIDGE = 'egl-cni';

export interface Address {
  readonly ipv4: string;
  readonly ipv6: string;
}

export class CniNetwork implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #data = mkdtempSync(join(tmpdir(), 'egl-cni-'));
  readonly #attached = new Map<string, Result | undefined>();

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  static async on(engine: Engine): Promise<CniNetwork> {
    if (engine.networkPrefix.length === 0)
      throw new LabError('CNI plugins run in an Engine of the lab alone.');
    await ensureFiles({ [`${PLUGINS}/bridge`]: 'containernetworking-plugins' });
    return new CniNetwork(engine);
  }

  /** Gives the container eth0 with an address of each family. */
  async attach(id: string, pid: number): Promise<Address> {
    const namespace = `/proc/${pid}/ns/net`;
    let result: Result | undefined;
    for (const plugin of this.#chain()) result = await this.#run('ADD', plugin, id, namespace, result);
    this.#attached.set(id, result);
    const addresses = (result?.ips ?? []).map(({ address }) => address.replace(/\/.*/, ''));
    const of = (mark: string) => addresses.find((address) => address.includes(mark)) ?? '';
    return { ipv4: of('.'), ipv6: of(':') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The namespaces may be gone, and their pids belong to others: only what is outside of them is removed.
    for (const [id, result] of this.#attached) {
      for (const plugin of this.#chain().reverse()) {
        await this.#run('DEL', plugin, id, '', result).catch(() => {});
      }
    }
    const [file = '', ...args] = [...this.#engine.networkPrefix, 'ip', 'link', 'delete', BRIDGE];
    await execa(file, args, { reject: false });
    rmSync(this.#data, { recursive: true, force: true });
  }

  /** As Nomad writes it, with IPv6 and a folder of our own. */
  #chain(): Plugin[] {
    const ipam = {
      type: 'host-local',
      dataDir: this.#data,
      ranges: [[{ subnet: '172.31.78.0/24' }], [{ subnet: 'fd00:e9:78::/64' }]],
      routes: [{ dst: '0.0.0.0/0' }],
    };
    return [
      { type: 'loopback' },
      { type: 'bridge', bridge: BRIDGE, ipMasq: true, isGateway: true, hairpinMode: true, ipam },
      { type: 'firewall', backend: 'iptables', iptablesAdminChainName: 'EGL-CNI-ADMIN' },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ];
  }

  async #run(command: string, plugin: Plugin, id: string, namespace: string, before: Result | undefined) {
    const config = {
      cniVersion: '0.4.0',
      name: BRIDGE,
      ...plugin,
      ...(before ? { prevResult: before } : {}),
    };
    const [file = '', ...args] = [...this.#engine.networkPrefix, join(PLUGINS, plugin.type)];
    const env = {
      ...{ CNI_COMMAND: command, CNI_CONTAINERID: id, CNI_NETNS: namespace, CNI_PATH: PLUGINS },
      CNI_IFNAME: plugin.type === 'loopback' ? 'lo' : 'eth0',
    };
    const { stdout, exitCode } = await execa(file, args, {
      input: JSON.stringify(config),
      env,
      reject: false,
    });
    if (exitCode !== 0) throw new Error(`the CNI plugin ${plugin.type} ended with ${exitCode}: ${stdout}`);
    const result: Result | undefined = stdout === '' ? before : JSON.parse(stdout);
    return result;
  }
}

interface Plugin {
  readonly type: string;
  readonly [setting: string]: unknown;
}

interface Result {
  readonly ips?: readonly { readonly address: string }[];
}
