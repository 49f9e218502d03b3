/**
 * Long-running processes, recognised by pid *and* start time: a pid alone may by now belong to
 * somebody else, and nothing is ever signalled on the strength of a pid alone.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { LabError } from './errors.ts';
import { waitFor } from './wait.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/<pid>/stat. */
  readonly startTime: string;
}

export interface LaunchOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What the process gets when this one ends, however it ends; default: nothing, it goes on. */
  readonly parentDeathSignal?: 'TERM' | 'KILL' | undefined;
}

/**
 * Starts a process in its own session, with its output appended to a log file.
 *
 * Node's own spawn, as execa pipes output through the parent, which these processes may outlive.
 */
export function launch({ command, args, logFile, env, parentDeathSignal }: LaunchOptions): ProcessIdentity {
  const log = openSync(logFile, 'a');
  const boundToUs = parentDeathSignal === undefined ? [] : ['setpriv', '--pdeathsig', parentDeathSignal];
  const [file = command, ...rest] = [...boundToUs, command];
  const child = spawn(file, [...rest, ...args], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
    detached: true,
  });
  child.on('error', () => {});
  child.unref();
  closeSync(log);
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new LabError(`Could not start ${command}; see ${logFile}.`);
  return identity;
}

/** Undefined if no such process lives; a zombie does not live. */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(`/proc/${pid}/stat`);
  const [state, startTime] = [fields[0], fields[19]];
  return startTime === undefined || state === 'Z' || state === 'X' ? undefined : { pid, startTime };
}

export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTime === process.startTime;
}

/** Sends a signal to exactly this process; a process that is gone is left in peace. */
export function signal(target: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(target)) return;
  try {
    process.kill(target.pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** SIGTERM, then SIGKILL after `grace` milliseconds; resolves when the process is gone. */
export async function end(target: ProcessIdentity, grace = 30_000): Promise<void> {
  signal(target, 'SIGTERM');
  // A stopped process hears SIGTERM only when it goes on.
  signal(target, 'SIGCONT');
  try {
    await gone(target, grace);
  } catch {
    signal(target, 'SIGKILL');
    await gone(target, 10_000);
  }
}

/** SIGSTOP, until each of its threads has stopped: until then it may go on for a moment. */
export async function freeze(target: ProcessIdentity): Promise<void> {
  signal(target, 'SIGSTOP');
  const isFrozen = () => !isAlive(target) || threadStates(target.pid).every((state) => state === 'T');
  await waitFor(isFrozen, { what: `process ${target.pid} to freeze`, timeout: 10_000, interval: 5 });
}

export async function gone(target: ProcessIdentity, timeout = 30_000): Promise<void> {
  await waitFor(() => !isAlive(target), { what: `process ${target.pid} to end`, timeout, interval: 20 });
}

function threadStates(pid: number): readonly (string | undefined)[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => statFields(`/proc/${pid}/task/${thread}/stat`)[0]);
}

/** From the third field on, the state: the command's name before may itself hold spaces and parentheses. */
function statFields(file: string): readonly string[] {
  const stat = readOrUndefined(file) ?? '';
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

export function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
