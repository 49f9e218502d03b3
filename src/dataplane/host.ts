/**
 * Running `dataplane/netns` and `dataplane/host` in the network namespace of the Engine's host.
 *
 * Which one that is, only the Engine knows: the one that it gives a helper with `--network host`. Where this process is in
 * the same one, on the same machine and since the same boot, and may change rules there, it runs the program itself.
 * Where there is no helper, the Engine's socket tells: it listens in the namespace of the host. No container's id or
 * process is ever asked for, so none can lead a load there or away from there.
 */
import { HOST_REF } from './dataplane.ts';
import type { HelperRunner } from './helper.ts';
import { followHere, runHere } from './nsenter.ts';
import type { Command, Loader, RunResult } from './runner.ts';

const PLACE: Command = { name: 'place' };

/** Needs nft and the right to change rules, which a container on the network of the host may lack. */
const LIST: Command = { name: 'list' };

type HostHelper = Pick<HelperRunner, 'runOnHost' | 'followOnHost'>;

export class HostRunner {
  readonly #helper: HostHelper;
  readonly #mayRunHere: boolean;
  readonly #here: typeof runHere;
  readonly #listensHere: () => Promise<boolean>;
  #isHere: boolean | undefined;

  /**
   * `loader`: as configured; `helper` never runs anything in this process's own namespace. `listensHere`: whether the Engine
   * does in this one.
   */
  constructor(
    helper: HostHelper,
    loader: 'auto' | Loader,
    listensHere: () => Promise<boolean>,
    here = runHere,
  ) {
    this.#helper = helper;
    this.#mayRunHere = loader !== 'helper';
    this.#listensHere = listensHere;
    this.#here = here;
  }

  get loader(): Loader {
    return this.#isHere === true ? 'nsenter' : 'helper';
  }

  async run(command: Command, stdin?: string): Promise<RunResult> {
    return (await this.#isOnHost())
      ? this.#here({ command, name: HOST_REF.name }, stdin)
      : this.#helper.runOnHost(command, stdin);
  }

  /** The lines of a long run, until the signal, or until it ends. */
  async follow(command: Command, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    return (await this.#isOnHost())
      ? followHere({ command, name: HOST_REF.name }, onLine, signal)
      : this.#helper.followOnHost(command, onLine, signal);
  }

  /** A process stays in its namespace, so this is asked once. */
  async #isOnHost(): Promise<boolean> {
    if (!this.#mayRunHere) return false;
    this.#isHere ??= await this.#compare();
    return this.#isHere;
  }

  async #compare(): Promise<boolean> {
    const own = await this.#tried(PLACE);
    if (own === undefined || (await this.#tried(LIST)) === undefined) return false;
    try {
      return (await this.#helper.runOnHost(PLACE)).stdout === own.stdout;
    } catch (error) {
      if (await this.#listensHere()) return true;
      throw error;
    }
  }

  /** Undefined if it does not work here. */
  #tried(command: Command): Promise<RunResult | undefined> {
    return this.#here({ command, name: HOST_REF.name }).catch(() => undefined);
  }
}
