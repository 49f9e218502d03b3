/**
 * The page beside the controller of `npm start`: built, and served by a process of its own. Without it the controller runs
 * all the same.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { tail } from '../lab/errors.ts';
import { log } from '../lab/log.ts';

const WATCH_SOCKET = '/run/egresstrator-watch/watch.sock';
/** Milliseconds until it has printed its address. */
const START_LIMIT = 15_000;

export interface Page {
  /** What to open in a browser; undefined: the page does not run. */
  readonly address: string | undefined;
  stop(): Promise<void>;
}

/** The environment of the controller with a watch socket, which the user of `npm start` alone may use. */
export function withWatchSocket(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  if (watchSocketOf(args, environment) !== undefined) return {};
  return {
    EGRESSTRATOR_WATCH_SOCKET: WATCH_SOCKET,
    EGRESSTRATOR_WATCH_GROUP: environment.EGRESSTRATOR_WATCH_GROUP || String(process.getgid?.() ?? 0),
  };
}

function watchSocketOf(args: readonly string[], environment: NodeJS.ProcessEnv): string | undefined {
  const options = { 'watch-socket': { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true });
  const flag = values['watch-socket'];
  return typeof flag === 'string' ? flag : environment.EGRESSTRATOR_WATCH_SOCKET || undefined;
}

/** `args`: those of the controller, as the page has its options among them. `onAddress`: called for each later address. `signal` ends it. */
export async function startPage(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  onAddress: (address: string) => void,
): Promise<Page> {
  if (watchSocketOf(args, env) === 'none' || !(await isBuilt())) return WITHOUT;
  const child = spawn(process.execPath, ['src/cli/main.ts', 'page', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...{ env, signal },
  });
  child.on('error', ({ name, message }) => {
    if (name !== 'AbortError') log(`the page does not run: ${message}`);
  });
  const address = await firstLine(child, onAddress);
  return { address, stop: () => stop(child) };
}

const WITHOUT: Page = { address: undefined, stop: async () => undefined };

async function isBuilt(): Promise<boolean> {
  const built = await execa(process.execPath, ['scripts/bundle-page.ts'], { reject: false, all: true });
  if (built.failed) log(`the page cannot be built, so it is left out: ${tail(built.all).trim()}`);
  return !built.failed;
}

/** Undefined if it ends, or prints nothing for a long time. */
async function firstLine(
  child: ChildProcess,
  onAddress: (address: string) => void,
): Promise<string | undefined> {
  if (child.stdout === null) return undefined;
  const lines = createInterface(child.stdout);
  const ended = new AbortController();
  const first = once(lines, 'line').then(([line]) => String(line));
  const end = once(child, 'exit').then(() => undefined);
  const limit = pause(START_LIMIT, undefined, { signal: ended.signal }).catch(() => undefined);
  const address = await Promise.race([first, end, limit]);
  ended.abort();
  lines.on('line', onAddress);
  return address;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
