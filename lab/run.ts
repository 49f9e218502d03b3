/** Commands that end: what they print, or one error that says which failed and why. */
import { execa } from 'execa';
import { LabError, tail } from './errors.ts';
import { searchPath } from './paths.ts';

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds; default 10 minutes, for downloads and builds. */
  readonly timeout?: number;
}

/** Standard output; the error holds the end of what the command printed. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { env, timeout = 600_000, cwd = process.cwd() } = options;
  const result = await execa(command, args, {
    env: { PATH: searchPath(), ...env },
    ...{ cwd, timeout, stdin: 'ignore', reject: false },
  });
  if (!result.failed) return result.stdout;
  const output = tail(`${result.stdout}\n${result.stderr}`).trim();
  throw new LabError(`\`${command} ${args.join(' ')}\` failed: ${output || result.shortMessage}`);
}

/** For what may have been done already: whether it succeeded. */
export async function attempt(command: string, args: readonly string[]): Promise<boolean> {
  const { failed } = await execa(command, args, {
    env: { PATH: searchPath() },
    stdin: 'ignore',
    reject: false,
  });
  return !failed;
}
