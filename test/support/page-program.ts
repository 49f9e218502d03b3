/**
 * `egresstrator page` as a process of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { searchPath } from '../../lab/paths.ts';
import { freePorts } from '../../lab/ports.ts';
import { waitFor } from '../../lab/wait.ts';
import { compiled } from './compile-cache.ts';
import { PROGRAM } from './egresstrator.ts';

export class PageProgram implements AsyncDisposable {
  readonly origin: string;
  readonly #child: ChildProcess;
  #printed = '';

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.origin = `http://127.0.0.1:${port}`;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#printed += text;
      });
  }

  static async start(watchSocket: string, program = PROGRAM): Promise<PageProgram> {
    const [port = 0] = await freePorts(1);
    const options = ['--watch-socket', watchSocket, '--page-listen', `127.0.0.1:${port}`];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, program, 'page', ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: searchPath(), ...compiled },
    });
    const page = new PageProgram(child, port);
    await waitFor(() => page.link !== '' || child.exitCode !== null, { what: 'the address of the page' });
    if (page.link === '') throw new Error(`the page ended: ${page.#printed}`);
    return page;
  }

  /** The newest address that was printed: it works once. */
  get link(): string {
    return this.#printed.match(/^http\S+#token=\S+$/gm)?.at(-1) ?? '';
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await waitFor(() => this.#child.exitCode !== null || this.#child.signalCode !== null, {
      what: 'the end of the page',
    });
  }
}
