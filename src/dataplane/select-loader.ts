/**
 * Selects the faster available loader for each namespace: nsenter, else a helper container.
 */
import type { NamespaceRef } from './dataplane.ts';
import type { NsenterRunner } from './nsenter.ts';
import { openNamespace } from './process-namespace.ts';
import { runProgram } from './run-program.ts';
import type { Command, Loader, NamespaceRunner, RunResult } from './runner.ts';

export class AutoRunner implements NamespaceRunner {
  readonly #nsenter: Pick<NsenterRunner, 'runIn' | 'testLoad'>;
  readonly #helper: NamespaceRunner;
  readonly #available: () => Promise<boolean>;
  readonly #loaders = new WeakMap<NamespaceRef, Loader>();

  /** `available`: whether nsenter works on this machine; called before every run. */
  constructor(
    nsenter: Pick<NsenterRunner, 'runIn' | 'testLoad'>,
    helper: NamespaceRunner,
    available = once(nsenterAvailable),
  ) {
    this.#nsenter = nsenter;
    this.#helper = helper;
    this.#available = available;
  }

  /** The opened namespace is the one that is entered: it is looked up once. */
  async run(namespace: NamespaceRef, command: Command, stdin?: string): Promise<RunResult> {
    const opened = (await this.#available()) ? openNamespace(namespace) : undefined;
    const isOpen = opened !== undefined && opened.kind !== 'gone';
    this.#loaders.set(namespace, isOpen ? 'nsenter' : 'helper');
    return isOpen
      ? this.#nsenter.runIn(opened, { command, name: namespace.name }, stdin)
      : this.#helper.run(namespace, command, stdin);
  }

  loaderOf(namespace: NamespaceRef): Loader {
    return this.#loaders.get(namespace) ?? 'helper';
  }

  async testLoad(command: Command, stdin?: string): Promise<RunResult> {
    return ((await this.#available()) ? this.#nsenter : this.#helper).testLoad(command, stdin);
  }

  async close(): Promise<void> {
    await this.#helper.close();
  }
}

/**
 * True if nsenter and nft exist and have the permissions that they need. Both are tried: a container may run as root
 * and lack the capability, or have it and lack the programs.
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
