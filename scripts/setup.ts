/**
 * The set-up of `npm start` and `npm run demo` before the controller runs: an Engine, the helper image,
 * and Consul. An Engine or Consul that already runs on the machine is used unchanged.
 */
import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { type Consul, startConsul } from '../lab/consul.ts';
import { type Engine, ensureEngine } from '../lab/engine.ts';
import { tail } from '../lab/errors.ts';
import { ensureBaseImage, ensureWorkloadImage } from '../lab/images.ts';
import { log, timed } from '../lab/log.ts';

const CONSUL_DEFAULT = '127.0.0.1:8500';

export interface Setup {
  readonly engine: Engine;
  /** As in CONSUL_HTTP_ADDR. */
  readonly consulAddress: string;
  /** A Consul that was started for this run. */
  readonly ownConsul: Consul | undefined;
  /** An image with busybox, for experiments. */
  readonly workload: string;
  /** Environment for the controller and for `docker`. */
  readonly environment: Readonly<Record<string, string>>;
}

export const packageVersion = (): string => String(JSON.parse(readFileSync('package.json', 'utf8')).version);

export async function setUp({ privateConsul = false } = {}): Promise<Setup> {
  const engine = await ensureEngine({ version: 'host' });
  const workload = await ensureWorkloadImage(engine.socketPath);
  await ensureHelperImage(engine);
  const known = privateConsul ? undefined : await usersConsul();
  const options = { dns: true, ...(privateConsul ? {} : { port: 8500 }) };
  const ownConsul = known === undefined ? await startConsul(options) : undefined;
  const consulAddress = known ?? ownConsul?.address ?? CONSUL_DEFAULT;
  const environment = {
    ...{ DOCKER_HOST: `unix://${engine.socketPath}`, CONSUL_HTTP_ADDR: consulAddress },
    ...(ownConsul?.dnsAddress !== undefined && { EGRESSTRATOR_NAMES_CONSUL: ownConsul.dnsAddress }),
  };
  return { engine, consulAddress, ownConsul, workload, environment };
}

/** Builds `egresstrator-helper:<version>`; an unchanged build takes a second. */
export async function ensureHelperImage({ socketPath }: Engine): Promise<string> {
  const image = `egresstrator-helper:${packageVersion()}`;
  const docker = dockerAt(socketPath);
  await timed(`built the helper image ${image}`, async () => {
    const base = await baseImage(socketPath);
    const args = ['--target', 'helper', '--build-arg', `BASE_IMAGE=${base}`, '--tag', image, '.'];
    const built = await docker('build', ...args);
    if (built.failed) throw new Error(`docker build failed:\n${tail(built.all ?? '')}`);
  });
  return image;
}

/** The public image if it exists here or can be pulled; else one that is made here. */
async function baseImage(socketPath: string): Promise<string> {
  const docker = dockerAt(socketPath);
  const publicBase = 'node:24-bookworm-slim';
  const known = await docker('image', 'inspect', publicBase);
  if (!known.failed) return publicBase;
  const made = await docker('image', 'inspect', 'egresstrator-lab/base:node24');
  if (!made.failed) return ensureBaseImage(socketPath);
  const pulled = await docker('pull', '--quiet', publicBase);
  return pulled.failed ? ensureBaseImage(socketPath) : publicBase;
}

const dockerAt =
  (socketPath: string) =>
  (...args: readonly string[]) =>
    execa('docker', ['-H', `unix://${socketPath}`, ...args], {
      reject: false,
      all: true,
      env: { DOCKER_BUILDKIT: '0' },
    });

/** The configured Consul, or one that answers at the default address. */
async function usersConsul(): Promise<string | undefined> {
  const configured = process.env.CONSUL_HTTP_ADDR;
  if (configured) {
    log(`using Consul at ${configured}, as CONSUL_HTTP_ADDR says`);
    return configured;
  }
  const answers = await fetch(`http://${CONSUL_DEFAULT}/v1/status/leader`, {
    signal: AbortSignal.timeout(2000),
  })
    .then((response) => response.ok)
    .catch(() => false);
  if (answers) log(`using the Consul that answers at ${CONSUL_DEFAULT}`);
  return answers ? CONSUL_DEFAULT : undefined;
}
