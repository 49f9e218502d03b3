/**
 * The testbed of the attempts: an Engine with the gate as a second runtime, a Consul, and three containers on
 * one network. The key `db` names `server`; only the key `all` names `denied`; `names` is the name server of all.
 * One controller serves workloads with the gate and without it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type EngineVersion, type OwnEngine, startEngine } from '../../lab/engine.ts';
import { ensureWorkloadImage } from '../../lab/images.ts';
import { labRunFolder } from '../../lab/paths.ts';
import { installGate } from '../../src/gate/install.ts';
import { DEFAULT_GATE_SETTINGS, type GateSettings } from '../../src/gate/layout.ts';
import { PROGRAM, RunningController } from '../support/egresstrator.ts';
import { engineName } from '../support/engines.ts';
import { putKey } from '../support/fixture.ts';
import { type Ran, type Workload, Workloads } from '../support/workloads.ts';

const HOST_NAMES = ['server', 'denied', 'names'] as const;
export type HostName = (typeof HOST_NAMES)[number];

/** Ports of `server`: the first stays granted, the others are removed one by one. */
export const PORTS = { kept: 80, firstToGo: 81, secondToGo: 82 } as const;

export class Testbed implements AsyncDisposable {
  readonly engine: OwnEngine;
  readonly workloads: Workloads;
  readonly consul: Consul;
  readonly network: string;
  readonly hosts: Readonly<Record<HostName, Workload>>;
  readonly #settings: GateSettings;
  readonly #folder: string;
  readonly #image: string;

  constructor(parts: Parts) {
    this.engine = parts.engine;
    this.workloads = parts.workloads;
    this.consul = parts.consul;
    this.network = parts.network;
    this.hosts = parts.hosts;
    this.#settings = parts.settings;
    this.#folder = parts.folder;
    this.#image = parts.image;
  }

  docker(...args: readonly string[]): Promise<Ran> {
    return this.workloads.docker(...args);
  }

  must(...args: readonly string[]): Promise<string> {
    return this.workloads.must(...args);
  }

  address(place: HostName): string {
    return this.hosts[place].addresses[this.network]?.ipv4 ?? '';
  }

  /** Sets the ports of `server` that the key `db` allows. */
  async grant(...ports: readonly number[]): Promise<void> {
    await this.putKey('db', `${this.address('server')}:tcp/${ports.join()}`);
  }

  putKey(name: string, ...rules: readonly string[]): Promise<void> {
    return putKey(this, `hostile/${name}`, ...rules);
  }

  /** `sees`: whether it can read the Engine's files. A controller in a container cannot. */
  startController(sees: 'files' | 'no files', args: readonly string[] = []): RunningController {
    const source = ['-c', this.consul.address, '-k', 'hostile/', '-i', this.#image, '--register', 'none'];
    const own = [
      '--loader',
      'nsenter',
      '--log-level',
      'info',
      '--run-dir',
      this.#settings.runDir,
      // What a start or an edit has to bring must not come by a comparison, which costs a program for each workload.
      '--drift-interval',
      '10',
    ];
    const program = sees === 'files' ? {} : { program: this.#programWithoutFiles() };
    const folder = join(this.#folder, 'controller');
    return new RunningController({
      engine: this.engine,
      args: [...source, ...own, ...args],
      folder,
      ...program,
    });
  }

  /** A program that runs the controller with the Engine's folder of containers hidden. */
  #programWithoutFiles(): string {
    const file = join(this.#folder, 'blind');
    const containers = join(this.engine.dataRoot, 'containers');
    const run = `mount -t tmpfs none '${containers}' && exec '${process.execPath}' '${PROGRAM}' "$@"`;
    const script = `#!/bin/sh\nexec unshare --mount sh -c "$(cat <<'END'\n${run}\nEND\n)" sh "$@"\n`;
    writeFileSync(file, script, { mode: 0o755 });
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whatever this leaves is removed with the Engine.
    await this.workloads[Symbol.asyncDispose]().catch(() => {});
    await this.consul.stop();
    await this.engine.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Parts extends Pick<Testbed, 'engine' | 'workloads' | 'consul' | 'network' | 'hosts'> {
  readonly settings: GateSettings;
  readonly folder: string;
  readonly image: string;
}

export async function openTestbed(version: EngineVersion): Promise<Testbed> {
  const folder = mkdtempSync(join(labRunFolder('hostile'), 'w'));
  const configFile = join(folder, 'daemon.json');
  writeFileSync(configFile, '{}\n');
  const engine = await startEngine({ version, name: engineName(`hostile-${version}`), configFile });
  const image = await ensureWorkloadImage(engine.socketPath);
  const folders = { libDir: join(folder, 'lib'), runDir: join(folder, 'run') };
  const settings = { ...DEFAULT_GATE_SETTINGS, ...folders, socketPath: engine.socketPath };
  await installGate(settings, false);
  const [workloads, consul] = [new Workloads(engine, image), await startConsul()];
  const network = await workloads.network('net');
  const hosts = await startHosts(workloads, network);
  const testbed = new Testbed({ engine, workloads, consul, network, hosts, settings, folder, image });
  await testbed.putKey('all', ...HOST_NAMES.map((host) => `${testbed.address(host)}:tcp/1-65535`));
  await testbed.putKey('slow', 'web@dc9');
  await testbed.grant(...Object.values(PORTS));
  return testbed;
}

async function startHosts(
  workloads: Workloads,
  network: string,
): Promise<Readonly<Record<HostName, Workload>>> {
  const open = async (name: HostName, ports: readonly number[]) => {
    const workload = await workloads.run(name, { network });
    await workload.probe.serve(ports);
    return workload;
  };
  const [server, denied, names] = await Promise.all([
    open('server', Object.values(PORTS)),
    open('denied', [80, 53]),
    open('names', [53]),
  ]);
  return { server, denied, names };
}
