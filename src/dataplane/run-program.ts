/**
 * Runs a program to its end, or follows its output. The only importer of execa.
 *
 * A program that exceeds its limit is killed with all its children before the result is returned. It gets none of our
 * environment, which may contain a token.
 */
import { execa } from 'execa';

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  /** The input; default: no stdin. */
  readonly stdin?: string | undefined;
  /** Milliseconds. */
  readonly limit: number;
  /** The most bytes of stdout, and of stderr; a program that prints more is killed. */
  readonly mostOutput: number;
}

export interface ProgramEnded {
  /** Undefined if it was killed by a signal or did not start. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** True if it was killed because it exceeded its limit. */
  readonly expired: boolean;
  /** Why it could not be started or was killed; undefined if it ended by itself. */
  readonly failure: string | undefined;
}

const programPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Never rejects: failures are part of the result. */
export async function runProgram(program: Program): Promise<ProgramEnded> {
  const { file, args, stdin, limit, mostOutput } = program;
  const result = await execa(file, args, {
    ...(stdin === undefined ? { stdin: 'ignore' as const } : { input: stdin }),
    env: { PATH: programPath, LC_ALL: 'C' },
    extendEnv: false,
    timeout: limit,
    killSignal: 'SIGKILL',
    killDescendants: true,
    maxBuffer: mostOutput,
    stripFinalNewline: false,
    reject: false,
  });
  const { exitCode, stdout, stderr, timedOut } = result;
  const failure =
    result.failed && exitCode === undefined ? (result.originalMessage ?? result.shortMessage) : undefined;
  return { exitCode, stdout: String(stdout), stderr: String(stderr), expired: timedOut, failure };
}

export interface FollowedProgram extends Pick<Program, 'file' | 'args'> {
  readonly onLine: (line: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Passes on the lines of stdout as they come. Its stdin stays open, so that a program that reads it ends with this
 * process, however that ends. Never rejects: resolves with the failure, if there was one.
 */
export async function followProgram({
  file,
  args,
  onLine,
  signal,
}: FollowedProgram): Promise<string | undefined> {
  const running = execa(file, args, {
    ...{ env: { PATH: programPath, LC_ALL: 'C' }, extendEnv: false, killDescendants: true, reject: false },
    ...{ stdin: 'pipe', cancelSignal: signal, maxBuffer: MOST_FOLLOWED, buffer: { stdout: false } },
  });
  for await (const line of running) onLine(line);
  const { exitCode, stderr, shortMessage } = await running;
  return exitCode === 0 || signal.aborted ? undefined : String(stderr || shortMessage);
}

/** Bytes of stderr. */
const MOST_FOLLOWED = 64 * 1024;
