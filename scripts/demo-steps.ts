/** How the demo shows its steps, and what both of its tours start. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { execa } from 'execa';
import { waitFor } from '../lab/wait.ts';

export type Environment = Readonly<Record<string, string>>;

export type Docker = (
  ...args: readonly string[]
) => Promise<{ readonly stdout: string; readonly ok: boolean }>;

export const title = (text: string): boolean => process.stdout.write(`\n${text}\n`);

/** Waits until the condition holds, and prints how long that took since the previous step. */
export async function observe(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const started = performance.now();
  await waitFor(isSo, { what: `"${what}"`, timeout: 20_000, interval: 20 });
  process.stdout.write(`  ✔ ${what} (${Math.round(performance.now() - started)} ms)\n`);
}

export const dockerOf =
  (environment: Environment): Docker =>
  async (...args) => {
    const { stdout, failed } = await execa('docker', args, { env: { ...environment }, reject: false });
    return { stdout, ok: !failed };
  };

export interface ControllerSetup {
  readonly environment: Environment;
  /** For its socket and its state. */
  readonly folder: string;
  readonly args?: readonly string[];
  /** The prefix of a command that runs in another network namespace. */
  readonly networkPrefix?: readonly string[];
}

export function startController(setup: ControllerSetup): { stop(): Promise<void> } {
  const { environment, folder, args = [], networkPrefix = [] } = setup;
  const files = ['--socket', join(folder, 'api.sock'), '--state-dir', join(folder, 'state')];
  const line = [...networkPrefix, process.execPath, 'src/cli/main.ts', ...files, ...args];
  const [command = '', ...rest] = line;
  const env = { ...process.env, ...environment, EGRESSTRATOR_LOG_LEVEL: 'error' };
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'inherit'], env });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
