/**
 * An Engine with a gate of its own, a destination that is granted, and one that is not.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { removeAllContainers } from '../../lab/engine/api.ts';
import { type EngineVersion, type OwnEngine, startEngine } from '../../lab/engine.ts';
import { ensureWorkloadImage } from '../../lab/images.ts';
import { labRunFolder } from '../../lab/paths.ts';
import { waitFor } from '../../lab/wait.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { render } from '../../src/features/egress/render.ts';
import { installGate } from '../../src/gate/install.ts';
import { DEFAULT_GATE_SETTINGS, type GateSettings } from '../../src/gate/layout.ts';
import { PreparedRules } from '../../src/gate/prepared-rules.ts';
import type { Mode } from '../../src/inventory/workload.ts';
import { parseAddress } from '../../src/net/address.ts';
import type { RuleSet } from '../../src/policy/rule-set.ts';
import { engineName } from '../support/engines.ts';

export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface GateLab {
  readonly engine: OwnEngine;
  readonly settings: GateSettings;
  readonly image: string;
  /** daemon.json as it was before the gate. */
  readonly configBefore: string;
  /** URLs of two servers, which answer `allowed` and `forbidden`. */
  readonly allowed: string;
  readonly forbidden: string;
  /** Starts both servers again after the Engine, until they answer. */
  serveAgain(): Promise<void>;
  /** Runs the docker command to its end, whatever that is. */
  try(...args: string[]): Promise<Ended>;
  /** Returns its stdout; a non-zero exit is an error. */
  docker(...args: string[]): Promise<string>;
  /** Prepares rules that allow `allowed` to those that ask for the key `db`. Returns the fingerprint. */
  prepare(mode?: Mode): Promise<string>;
  unprepare(): Promise<void>;
  /** The nft tables in a running container's namespace. */
  tables(container: string): Promise<string>;
  /** How many connections the forbidden server has had. */
  hits(): Promise<number>;
  close(): Promise<void>;
}

/** What people write: indented by four, a number with a point, a blank line. */
const daemonJson = '{\n    "debug": false,\n    "max-concurrent-downloads": 3,\n\n    "labels": ["a=b"]\n}\n';
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export async function openGateLab(version: EngineVersion): Promise<GateLab> {
  const folder = mkdtempSync(join(labRunFolder('gate'), 'g'));
  const configFile = join(folder, 'daemon.json');
  writeFileSync(configFile, daemonJson);
  const engine = await startEngine({ version, name: engineName(`gate-${version}`), configFile });
  const image = await ensureWorkloadImage(engine.socketPath);
  const { socketPath } = engine;
  const settings = {
    ...DEFAULT_GATE_SETTINGS,
    libDir: join(folder, 'lib'),
    runDir: join(folder, 'run'),
    socketPath,
  };
  await installGate(settings, false);
  const attempt = dockerOf(socketPath);
  const docker = async (...args: string[]) => succeeded(args, await attempt(...args));
  await removeLeftovers(socketPath, attempt);
  await docker('network', 'create', '--subnet', '172.31.77.0/24', 'gate');
  const allowed = await serve(docker, image, 'allowed', '172.31.77.10');
  const forbidden = await serve(docker, image, 'forbidden', '172.31.77.11');
  return {
    ...{ engine, settings, image, configBefore: daemonJson, allowed, forbidden, docker, try: attempt },
    serveAgain: async () => {
      for (const name of ['allowed', 'forbidden']) {
        await docker('start', name);
        await isServing(docker, name);
      }
    },
    prepare: (mode = 'enforce') => prepare(settings.runDir, allowed, mode),
    unprepare: () => keep(settings.runDir, []),
    tables: async (container) => {
      const pid = await docker('inspect', '-f', '{{.State.Pid}}', container);
      return (await execa('nsenter', [`--net=/proc/${pid}/ns/net`, 'nft', 'list', 'tables'])).stdout;
    },
    hits: async () =>
      (await attempt('logs', 'forbidden')).stderr.split('\n').filter((line) => line.includes('url:')).length,
    close: async () => {
      await engine.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Of a run that was killed before it could remove its Engine. */
async function removeLeftovers(socketPath: string, attempt: GateLab['try']): Promise<void> {
  await removeAllContainers(socketPath);
  await attempt('network', 'rm', 'gate');
}

const dockerOf =
  (socketPath: string) =>
  async (...args: string[]): Promise<Ended> => {
    const options = {
      reject: false,
      stdin: 'ignore',
      env: { DOCKER_BUILDKIT: '0' },
      timeout: 60_000,
    } as const;
    const { exitCode, stdout, stderr } = await execa(
      'docker',
      ['-H', `unix://${socketPath}`, ...args],
      options,
    );
    return { exitCode, stdout, stderr };
  };

function succeeded(args: readonly string[], { exitCode, stdout, stderr }: Ended): string {
  if (exitCode === 0) return stdout;
  throw new Error(`docker ${args.join(' ')} ended with ${exitCode}: ${stderr}`);
}

async function serve(
  docker: GateLab['docker'],
  image: string,
  name: string,
  address: string,
): Promise<string> {
  const script = `mkdir -p /www && echo ${name} >/www/index.html && exec httpd -f -vv -h /www`;
  await docker('run', '-d', '--name', name, '--network', 'gate', '--ip', address, image, 'sh', '-c', script);
  await isServing(docker, name);
  return `http://${address}/`;
}

async function isServing(docker: GateLab['docker'], name: string): Promise<void> {
  const answers = () => docker('exec', name, 'wget', '-qO-', 'http://127.0.0.1/').catch(() => undefined);
  await waitFor(answers, { what: `the server ${name}` });
}

async function prepare(runDir: string, url: string, mode: Mode): Promise<string> {
  const prefix = parseAddress(new URL(url).hostname);
  if (prefix === undefined) throw new Error(`${url} has no address`);
  const allowed: RuleSet = { layers: [[{ prefix, protocol: 'tcp', range: { first: 80, last: 80 } }]] };
  const input = { allowed, ungranted: undefined, mode, dns: 'resolvers', resolvers: [] } as const;
  const { text, fingerprint } = render(loadTemplate('nftables'), input);
  await keep(runDir, [{ grants: ['db'], mode, dns: 'resolvers', text }]);
  return fingerprint;
}

async function keep(runDir: string, rules: Parameters<PreparedRules['keep']>[0]['rules']): Promise<void> {
  const prepared = new PreparedRules(runDir, silent);
  prepared.keep({ rules, defaultMode: 'enforce' });
  await prepared.close();
}
