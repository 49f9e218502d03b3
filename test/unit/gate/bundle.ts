/**
 * Bundles as Docker writes them, for the gate to read.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { preparedName } from '../../../src/adapters/gate/names.ts';
import { parseWorkload } from '../../../src/domain/workload.ts';

export interface Bundle {
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  /** More members of config.v2.json. */
  readonly elsewhere: object;
  readonly resolvConf: string;
  readonly dns: readonly string[];
  readonly namespaces: readonly object[];
}

export interface Verdict {
  readonly verdict: string;
  readonly network?: string;
  readonly resolvers4?: string;
  readonly resolvers6?: string;
  /** Of the prepared rules. */
  readonly name?: string;
}

export const shippedGate = resolve(import.meta.dirname, '../../../gate');
const id = 'c0ffee';

/** The awks of this machine, as command lines. */
export function awks(): readonly string[] {
  const all = ['mawk', 'gawk', 'gawk --posix', 'busybox awk'];
  const works = (awk: string) => spawnSync('sh', ['-c', `${awk} 'BEGIN { exit 0 }'`]).status === 0;
  const found = all.filter(works);
  return found.length > 0 ? found : ['awk'];
}

/** As Go's encoder does, in which Docker is written. */
export const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export function writeBundle(folder: string, bundle: Partial<Bundle>, change = (json: string) => json): void {
  const { environment = [], args = ['sh'], annotations = {}, namespaces = [{ type: 'network' }] } = bundle;
  const docker = join(folder, 'containers', id);
  const mount = (name: string) => ({
    destination: `/etc/${name}`,
    type: 'bind',
    source: join(docker, name),
    options: ['rbind'],
  });
  const config = {
    ociVersion: '1.0.2',
    process: { user: { uid: 0 }, args, env: ['PATH=/bin', ...environment], cwd: '/' },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }, mount('resolv.conf'), mount('hostname')],
    annotations,
    linux: { sysctl: { a: '1' }, namespaces, seccomp: { syscalls: [{ names: ['accept', 'bind'] }] } },
  };
  mkdirSync(docker, { recursive: true });
  writeFileSync(join(folder, 'config.json'), change(goJson(config)));
  const labelled = { ID: id, Config: { Env: environment, Labels: bundle.labels ?? {} }, ...bundle.elsewhere };
  const { Config, ...rest } = labelled;
  writeFileSync(
    join(docker, 'config.v2.json'),
    goJson(bundle.elsewhere ? { Config: { Labels: {} }, State: rest } : { ...rest, Config }),
  );
  writeFileSync(join(docker, 'hostconfig.json'), goJson({ Binds: null, Dns: bundle.dns ?? [] }));
  writeFileSync(join(docker, 'resolv.conf'), bundle.resolvConf ?? '');
}

export function judge(awk: string, folder: string, containers = join(folder, 'containers')): Verdict {
  const [program = 'awk', ...options] = awk.split(' ');
  const args = [
    ...options,
    '-f',
    join(shippedGate, 'judge.awk'),
    folder,
    id,
    containers,
    join(folder, 'run'),
  ];
  const { stdout } = spawnSync(program, args, { env: { ...process.env, LC_ALL: 'C' }, encoding: 'utf8' });
  const [verdict = '', network = '', resolvers4 = '', resolvers6 = '', ...name] = stdout.split('\n');
  if (verdict !== 'workload') return { verdict };
  const canonical = name.join('\n').replace(/\n$/, '');
  return {
    verdict,
    network,
    resolvers4,
    resolvers6,
    name: createHash('sha256').update(canonical).digest('hex'),
  };
}

/** What the program itself reads. */
export function expectedVerdict({ environment = [], labels = {} }: Partial<Bundle>): Verdict {
  const workload = parseWorkload({ environment, labels });
  if (workload === undefined) return { verdict: 'pass' };
  return {
    verdict: 'workload',
    network: 'own',
    resolvers4: '',
    resolvers6: '',
    name: preparedName(workload),
  };
}
