/**
 * Runs `dataplane/netns` by nsenter, without a container, if the controller sees the host's processes.
 */
import { assetPath } from '../common/assets.ts';
import type { NamespaceRef } from './dataplane.ts';
import { exited, type Failure, failed, gone, onHostNetwork, tookTooLong } from './load-errors.ts';
import { type Opened, openNamespace } from './process-namespace.ts';
import { defaultLimits, limitsFor } from './resource-limits.ts';
import { followProgram, type ProgramEnded, runProgram } from './run-program.ts';
import {
  argumentsOf,
  type Command,
  type Loader,
  mostOutput,
  type NamespaceRunner,
  programOf,
  type RunResult,
} from './runner.ts';

export interface NsenterSettings {
  /** The path of `dataplane/netns`; default: the one of this program, beside `dataplane/host`. */
  readonly program: string;
  /** Milliseconds for a run without input; default 30 000. */
  readonly limit: number;
}

const includedProgram = assetPath('dataplane/netns');
const hostProgram = assetPath('dataplane/host');

export class NsenterRunner implements NamespaceRunner {
  readonly #settings: NsenterSettings;

  constructor(settings: Partial<NsenterSettings> = {}) {
    this.#settings = { program: includedProgram, limit: defaultLimits.limit, ...settings };
  }

  async run(namespace: NamespaceRef, command: Command, stdin?: string): Promise<RunResult> {
    return this.runIn(openNamespace(namespace), { command, name: namespace.name }, stdin);
  }

  /** Closes the handle. */
  async runIn(opened: Opened, failure: Failure, stdin?: string): Promise<RunResult> {
    if (opened.kind === 'gone') throw gone(failure, 'its process is not there any more');
    if (opened.kind === 'host') throw onHostNetwork(failure);
    try {
      // Our descriptor is the checked namespace, even if another process has the pid now.
      const enter = ['nsenter', `--net=/proc/${process.pid}/fd/${opened.file.fd}`];
      return { ...(await this.#execute(failure, enter, stdin)), hasProcessLeft: opened.hasProcessLeft };
    } finally {
      opened.file.close();
    }
  }

  loaderOf(): Loader {
    return 'nsenter';
  }

  testLoad(command: Command, stdin?: string): Promise<RunResult> {
    return this.#execute({ command, name: 'an empty namespace' }, ['unshare', '--net'], stdin);
  }

  async close(): Promise<void> {}

  async #execute(failure: Failure, enter: string[], stdin?: string): Promise<RunResult> {
    const { command } = failure;
    const program = programOf(command) === 'netns' ? this.#settings.program : hostProgram;
    const { limit } = limitsFor(stdin, { ...defaultLimits, ...this.#settings });
    const [file = '', ...args] = [...enter, 'sh', program, ...argumentsOf(command)];
    return answer(failure, limit, await runProgram({ file, args, stdin, limit, mostOutput }));
  }
}

/** In the namespace of this process. */
export async function runHere(failure: Failure, stdin?: string): Promise<RunResult> {
  const { limit } = limitsFor(stdin, defaultLimits);
  const { command } = failure;
  const args = [assetPath(`dataplane/${programOf(command)}`), ...argumentsOf(command)];
  return answer(failure, limit, await runProgram({ file: 'sh', args, stdin, limit, mostOutput }));
}

/** Passes on the lines of a program in the namespace of this process until the signal, or until it ends. */
export async function followHere(
  failure: Failure,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { command } = failure;
  const args = [assetPath(`dataplane/${programOf(command)}`), ...argumentsOf(command)];
  const reason = await followProgram({ file: 'sh', args, onLine, signal });
  if (reason !== undefined) throw failed(failure, reason);
}

function answer(failure: Failure, limit: number, ended: ProgramEnded): RunResult {
  if (ended.expired) throw tookTooLong(failure, limit);
  if (ended.failure !== undefined) throw failed(failure, ended.failure);
  if (ended.exitCode !== 0) throw exited(failure, ended.exitCode ?? -1, ended.stderr);
  return { stdout: ended.stdout };
}
