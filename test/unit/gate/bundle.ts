/**
 * Bundles as Docker writes them, for the gate to read.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type IngressRequest,
  preparedIngressName,
  preparedName,
  type RuleRequest,
} from '../../../src/gate/names.ts';
import { parseIngress, parseWorkload } from '../../../src/inventory/workload.ts';

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
  readonly capabilities: readonly string[];
  /** Of `--cap-add`. */
  readonly capAdd: readonly string[];
  /** What the image says by itself; null: it is not to be found where Docker keeps images. */
  readonly image: {
    readonly Env?: readonly string[];
    readonly Labels?: Readonly<Record<string, string>>;
  } | null;
}

export interface Decision {
  readonly decision: string;
  readonly network?: string;
  readonly raw?: string;
  readonly resolvers4?: string;
  readonly resolvers6?: string;
  /** Of the prepared rules. */
  readonly name?: string;
  /** Of the prepared ingress rules. */
  readonly ingress?: string;
}

export const gateFolder = resolve(import.meta.dirname, '../../../gate');
const usualId = 'c0ffee';
const imageId = 'a11ce';

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

/** `change` alters config.json, `changeImage` what the image's author wrote. */
export function writeBundle(
  folder: string,
  bundle: Partial<Bundle>,
  change = (json: string) => json,
  changeImage = (json: string): string | Uint8Array => json,
): void {
  const { environment = [], args = ['sh'], annotations = {}, namespaces = [{ type: 'network' }] } = bundle;
  const { capabilities = [], capAdd = [], image = {} } = bundle;
  const docker = join(folder, 'containers', usualId);
  const mount = (name: string) => ({
    destination: `/etc/${name}`,
    type: 'bind',
    source: join(docker, name),
    options: ['rbind'],
  });
  const config = {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0 },
      ...{ args, env: ['PATH=/bin', ...environment], cwd: '/' },
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }, mount('resolv.conf'), mount('hostname')],
    annotations,
    linux: { sysctl: { a: '1' }, namespaces, seccomp: { syscalls: [{ names: ['accept', 'bind'] }] } },
  };
  mkdirSync(docker, { recursive: true });
  writeFileSync(join(folder, 'config.json'), change(goJson(config)));
  const images = join(folder, 'image/overlay2/imagedb/content/sha256');
  rmSync(images, { recursive: true, force: true });
  mkdirSync(images, { recursive: true });
  const imageJson = goJson({ architecture: 'amd64', config: image });
  if (image !== null) writeFileSync(join(images, imageId), changeImage(imageJson));
  const origin = { Image: `sha256:${imageId}`, Driver: 'overlay2' };
  const labelled = {
    ...{
      ID: usualId,
      Config: { Env: environment, Image: 'sha256:b0b', Labels: bundle.labels ?? {} },
      ...origin,
    },
    ...bundle.elsewhere,
  };
  const { Config, ...rest } = labelled;
  writeFileSync(
    join(docker, 'config.v2.json'),
    goJson(bundle.elsewhere ? { Config: { Labels: {} }, State: rest } : { ...rest, Config }),
  );
  const host = { Binds: ['NET_RAW'], Dns: bundle.dns ?? [], CapAdd: capAdd, CapDrop: ['MKNOD'] };
  writeFileSync(join(docker, 'hostconfig.json'), goJson(host));
  writeFileSync(join(docker, 'resolv.conf'), bundle.resolvConf ?? '');
}

/** Runs programs of the gate as it does. */
export function runAwk(awk: string, programs: readonly string[], args: readonly string[]): string {
  const [program = 'awk', ...options] = awk.split(' ');
  const files = programs.flatMap((name) => ['-f', join(gateFolder, `${name}.awk`)]);
  const env = { ...process.env, LC_ALL: 'C' };
  const { stdout, stderr } = spawnSync(program, [...options, ...files, ...args], { env, encoding: 'utf8' });
  return stdout + stderr;
}

/** `without`: where to write config.json without CAP_NET_RAW. */
export function decide(
  awk: string,
  folder: string,
  { containers = join(folder, 'containers'), without = '', id = usualId } = {},
): Decision {
  const run = join(folder, 'run');
  const output = runAwk(awk, ['files', 'json', 'request'], [folder, id, containers, run, without]);
  const [decision = '', network = '', raw = '', resolvConf = '', dns = '', ...name] = output.split('\n');
  if (decision !== 'workload') return { decision };
  const resolvers = runAwk(awk, ['files', 'resolvers'], [resolvConf, dns, run]).split('\n');
  const [resolvers4 = '', resolvers6 = ''] = resolvers;
  const [, lines] = /^ingress (\d+)$/.exec(name[0] ?? '') ?? [];
  const ingress = lines === undefined ? [] : name.splice(0, 1 + Number(lines)).slice(1);
  const canonical = name.join('\n').replace(/\n$/, '');
  return {
    ...{ decision, network, raw, resolvers4, resolvers6 },
    ...(canonical !== 'end' && { name: digestOf(canonical) }),
    ...(lines !== undefined && { ingress: digestOf(ingress.join('\n')) }),
  };
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What the program itself reads. */
export function expectedDecision({ environment = [], labels = {}, image }: Partial<Bundle>): Decision {
  const byImage = { environment: image?.Env ?? [], labels: image?.Labels ?? {} };
  const request = { environment, labels, image: image === null ? 'unknown' : byImage } as const;
  return decisionOf(parseWorkload(request), parseIngress(request));
}

export const decisionOf = (egress: RuleRequest | null | undefined, ingress?: IngressRequest): Decision =>
  egress || ingress
    ? {
        ...{ decision: 'workload', network: 'own', raw: 'none', resolvers4: '', resolvers6: '' },
        ...(egress && { name: preparedName(egress) }),
        ...(ingress && { ingress: preparedIngressName(ingress) }),
      }
    : { decision: 'pass' };
