/**
 * Running a program to its end. The only file that knows execa.
 *
 * A program here never outlives its time: when that is over, it and all that it started are killed, and
 * the answer comes after they have ended. It sees none of our environment: that may hold a token.
 */
import { execa } from 'execa';

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  /** Given to it, then its stdin ends; default: it has none. */
  readonly stdin?: string | undefined;
  /** Milliseconds. */
  readonly limit: number;
  /** Bytes of stdout, and of stderr; more ends it. */
  readonly mostOutput: number;
}

export interface ProgramEnded {
  /** `undefined`: killed by a signal, or never started. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** It was killed when its time was over. */
  readonly expired: boolean;
  /** Why it could not be started or was ended by us; `undefined` if it ended by itself. */
  readonly failure: string | undefined;
}

const programPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Never rejects: what went wrong is in the result. */
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
