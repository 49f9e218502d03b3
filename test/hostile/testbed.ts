/**
 * Where the attempts are made: an Engine with the gate as a second runtime, a Consul, and three containers on
 * one network: `server`, which the key `db` names, `denied`, which only the key `all` names, and `names`, the
 * name server of all. One controller is there for workloads with the gate and for those without it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type EngineVersion, type OwnEngine, startEngine } from '../../lab/engine.ts';
import { ensureWorkloadImage } from '../../lab/images.ts';
import { inCheckout, labRunFolder } from '../../lab/paths.ts';
import { installGate } from '../../src/gate/install.ts';
import { DEFAULT_GATE_SETTINGS, type GateSettings } from '../../src/gate/layout.ts';
import { RunningController } from '../support/egresstrator.ts';
import { type Ran, type Workload, Workloads } from '../support/workloads.ts';

const PLACES = ['server', 'denied', 'names'] as const;
export type Place = (typeof PLACES)[number];

/** Of `server`: the first stays granted, the others go one by one. */
export const PORTS = { kept: 80, firstToGo: 81, secondToGo: 82 } as const;

export class Testbed implements AsyncDisposable {
  readonly engine: OwnEngine;
  readonly workloads: Workloads;
  readonly consul: Consul;
  readonly network: string;
  readonly places: Readonly<Record<Place, Workload>>;
  readonly #settings: GateSettings;
  readonly #folder: string;
  readonly #image: string;

  constructor(parts: Parts) {
    this.engine = parts.engine;
    this.workloads = parts.workloads;
    this.consul = parts.consul;
    this.network = parts.network;
    this.places = parts.places;
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

  address(place: Place): string {
    return this.places[place].addresses[this.network]?.ipv4 ?? '';
  }

  /** Which ports of `server` the key `db` allows. */
  async grant(...ports: readonly number[]): Promise<void> {
    await this.key('db', `${this.address('server')}:tcp/${ports.join()}`);
  }

  async key(name: string, ...rules: readonly string[]): Promise<void> {
    const { status } = await this.consul.call('PUT', `/v1/kv/hostile/${name}`, rules.join('\n'));
    if (status !== 200) throw new Error(`Consul answered ${status}`);
  }

  /** `sees`: whether it finds the Engine's own files, as in a container it does not. */
  control(sees: 'files' | 'no files', args: readonly string[] = []): RunningController {
    const source = ['-c', this.consul.address, '-k', 'hostile/', '-i', this.#image, '--register', 'none'];
    const own = [
      '--loader',
      'nsenter',
      '--log-level',
      'info',
      '--run-dir',
      this.#settings.runDir,
      '--drift-interval',
      '2',
    ];
    const program = sees === 'files' ? {} : { program: this.#blindProgram() };
    const folder = join(this.#folder, 'controller');
    return new RunningController({
      engine: this.engine,
      args: [...source, ...own, ...args],
      folder,
      ...program,
    });
  }

  /** The program where the Engine's folder of containers is hidden. */
  #blindProgram(): string {
    const file = join(this.#folder, 'blind');
    const containers = join(this.engine.dataRoot, 'containers');
    const run = `mount -t tmpfs none '${containers}' && exec '${process.execPath}' '${main}' "$@"`;
    const script = `#!/bin/sh\nexec unshare --mount sh -c "$(cat <<'END'\n${run}\nEND\n)" sh "$@"\n`;
    writeFileSync(file, script, { mode: 0o755 });
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What it leaves goes with the Engine.
    await this.workloads[Symbol.asyncDispose]().catch(() => {});
    await this.consul.stop();
    await this.engine.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const main = inCheckout('src/cli/main.ts');

interface Parts extends Pick<Testbed, 'engine' | 'workloads' | 'consul' | 'network' | 'places'> {
  readonly settings: GateSettings;
  readonly folder: string;
  readonly image: string;
}

export async function openTestbed(version: EngineVersion): Promise<Testbed> {
  const folder = mkdtempSync(join(labRunFolder('hostile'), 'w'));
  const configFile = join(folder, 'daemon.json');
  writeFileSync(configFile, '{}\n');
  const engine = await startEngine({ version, name: `hostile-${version}`, configFile });
  const image = await ensureWorkloadImage(engine.socketPath);
  const folders = { libDir: join(folder, 'lib'), runDir: join(folder, 'run') };
  const settings = { ...DEFAULT_GATE_SETTINGS, ...folders, socketPath: engine.socketPath };
  await installGate(settings, false);
  const [workloads, consul] = [new Workloads(engine, image), await startConsul()];
  const network = await workloads.network('net');
  const places = await openPlaces(workloads, network);
  const testbed = new Testbed({ engine, workloads, consul, network, places, settings, folder, image });
  await testbed.key('all', ...PLACES.map((place) => `${testbed.address(place)}:tcp/1-65535`));
  await testbed.key('slow', 'web@dc9');
  await testbed.grant(...Object.values(PORTS));
  return testbed;
}

async function openPlaces(workloads: Workloads, network: string): Promise<Readonly<Record<Place, Workload>>> {
  const open = async (name: Place, ports: readonly number[]) => {
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
