/**
 * `npm start`: an Engine, the helper image and Consul, then the page and, in the foreground, the controller.
 */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { findCommand } from '../lab/apt.ts';
import { consulProgram } from '../lab/consul/program.ts';
import { inCheckout } from '../lab/paths.ts';
import { messageOf } from '../src/common/errors.ts';
import { banner, commandFor } from './banner.ts';
import { startPage, withWatchSocket } from './page.ts';
import { type Setup, setUp } from './setup.ts';
import { atSignals } from './signals.ts';

const RUN_DIR = '/run/egresstrator';
const EXAMPLE_KEY = 'egress/acl/example';

async function main(args: readonly string[]): Promise<number> {
  const setup = await setUp();
  try {
    const rule = `${await bridgeSubnet(setup)}:tcp/8080`;
    if (setup.ownConsul !== undefined) await setup.ownConsul.call('PUT', `/v1/kv/${EXAMPLE_KEY}`, rule);
    return await runBoth(setup, rule, args);
  } finally {
    await setup.ownConsul?.stop();
    if (setup.engine.isOwn) {
      process.stderr.write('The Engine that was started goes on; "npm run lab -- down" stops it.\n');
    }
  }
}

/** The page, and the controller until it ends. */
async function runBoth(setup: Setup, rule: string, args: readonly string[]): Promise<number> {
  const env = environmentOf(setup, args);
  const stopping = new AbortController();
  atSignals(() => stopping.abort());
  const page = await startPage(args, env, stopping.signal, (address) =>
    process.stderr.write(`The page, for another browser: ${address}\n`),
  );
  try {
    if (stopping.signal.aborted) return 1;
    const programs = await programsOf(setup);
    process.stderr.write(bannerOf(setup, rule, args, page.address, programs));
    return await runController(env, args);
  } finally {
    await page.stop();
  }
}

async function bridgeSubnet({ engine }: Setup): Promise<string> {
  const format = '{{(index .IPAM.Config 0).Subnet}}';
  const inspect = ['network', 'inspect', 'bridge', '--format', format];
  const { stdout } = await execa('docker', ['-H', `unix://${engine.socketPath}`, ...inspect]);
  return stdout.trim();
}

/** The page and the documents hand out commands of both programs: they must run in the terminal that people paste them into. */
async function programsOf({ ownConsul }: Setup): Promise<readonly string[]> {
  const own = findCommand('egresstrator') === undefined ? [inCheckout('bin')] : [];
  if (ownConsul === undefined || findCommand('consul') !== undefined) return own;
  return [...own, dirname((await consulProgram()).path)];
}

function bannerOf(
  setup: Setup,
  rule: string,
  args: readonly string[],
  page: string | undefined,
  programs: readonly string[],
): string {
  const { engine, workload, consulAddress, ownConsul } = setup;
  return banner({
    docker: engine.isOwn ? `docker -H unix://${engine.socketPath}` : 'docker',
    ...{ workload, consulAddress, isOwnConsul: ownConsul !== undefined, exampleKey: EXAMPLE_KEY, rule },
    ...{ page, programs },
    command: commandFor(inCheckout('bin/egresstrator'), args, process.env),
  });
}

function environmentOf({ environment }: Setup, args: readonly string[]): NodeJS.ProcessEnv {
  const state = process.env.EGRESSTRATOR_STATE_DIR ?? `${RUN_DIR}/state`;
  const watch = withWatchSocket(args, process.env);
  return { ...process.env, ...environment, ...watch, EGRESSTRATOR_STATE_DIR: state };
}

/** Runs until the controller ends. Signals to this process are passed on to it. */
function runController(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], { stdio: 'inherit', env });
  atSignals(() => child.kill('SIGTERM'));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`egresstrator: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
