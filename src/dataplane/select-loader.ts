/**
 * The quicker way into each namespace that is open from here: nsenter, else a helper container.
 */
import type { NamespaceRef } from './dataplane.ts';
import { isSeen } from './process-namespace.ts';
import { runProgram } from './run-program.ts';
import type { Command, Loader, NamespaceRunner, RunResult } from './runner.ts';

export class AutoRunner implements NamespaceRunner {
  readonly #nsenter: NamespaceRunner;
  readonly #helper: NamespaceRunner;
  readonly #equipped: () => Promise<boolean>;

  /** `equipped`: whether this machine has what nsenter needs; asked before every run. */
  constructor(nsenter: NamespaceRunner, helper: NamespaceRunner, equipped = once(nsenterAvailable)) {
    this.#nsenter = nsenter;
    this.#helper = helper;
    this.#equipped = equipped;
  }

  async run(namespace: NamespaceRef, command: Command, stdin?: string): Promise<RunResult> {
    const loader = await this.selectLoader(namespace);
    return (loader === 'nsenter' ? this.#nsenter : this.#helper).run(namespace, command, stdin);
  }

  async selectLoader(namespace: NamespaceRef): Promise<Loader> {
    const seen = (await this.#equipped()) && (await isSeen(namespace));
    return seen ? 'nsenter' : 'helper';
  }

  async testLoad(command: Command, stdin?: string): Promise<RunResult> {
    return ((await this.#equipped()) ? this.#nsenter : this.#helper).testLoad(command, stdin);
  }

  async close(): Promise<void> {
    await Promise.all([this.#nsenter.close(), this.#helper.close()]);
  }
}

/**
 * Whether nsenter and nft are here and allowed to work. Tried, not guessed: a container may be root and
 * lack the capability, or have it and lack the programs.
 */
export async function nsenterAvailable(): Promise<boolean> {
  const tries = [
    ['nsenter', '--net=/proc/self/ns/net', 'true'],
    ['unshare', '--net', 'nft', 'list', 'tables'],
  ];
  const ended = await Promise.all(
    tries.map(([file = '', ...args]) => runProgram({ file, args, limit: 10_000, mostOutput: 64 * 1024 })),
  );
  return ended.every(({ exitCode }) => exitCode === 0);
}

function once(ask: () => Promise<boolean>): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
