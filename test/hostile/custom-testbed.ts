/** The testbed and the controller of custom attempts. */
import type { EngineVersion } from '../../lab/engine.ts';
import type { RunningController } from '../support/egresstrator.ts';
import type { StartMode } from './attacker.ts';
import { type AttemptContext, runnerFor } from './custom-attempts.ts';
import { type ImageSpec, loadImages } from './images.ts';
import { openTestbed, type Testbed } from './testbed.ts';

export class CustomTestbed implements AsyncDisposable {
  readonly #testbed: Testbed;
  #controller: RunningController;

  private constructor(testbed: Testbed) {
    this.#testbed = testbed;
    this.#controller = testbed.startController('no files');
  }

  static async open(
    version: EngineVersion,
    images: Readonly<Record<string, ImageSpec>>,
  ): Promise<CustomTestbed> {
    const testbed = await openTestbed(version);
    await loadImages(testbed.engine.socketPath, { ...images, plain: {} });
    const opened = new CustomTestbed(testbed);
    await opened.#controller.ready('listening');
    return opened;
  }

  context(start: StartMode): AttemptContext {
    return {
      testbed: this.#testbed,
      start,
      controller: () => this.#controller,
      restart: (args) => this.#restart(args),
      run: runnerFor(this.#testbed, start),
    };
  }

  async #restart(args: readonly string[] = []): Promise<RunningController> {
    await this.#controller.stop('SIGKILL');
    this.#controller = this.#testbed.startController('files', args);
    await this.#controller.ready('listening');
    return this.#controller;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controller[Symbol.asyncDispose]();
    await this.#testbed[Symbol.asyncDispose]();
  }
}
