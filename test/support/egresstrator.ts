/**
 * The real program as a child process: the controller with a socket and a state folder of its own, and
 * the other commands.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { z } from 'zod';
import type { Engine } from '../../lab/engine.ts';
import { searchPath } from '../../lab/paths.ts';
import { waitFor } from '../../lab/wait.ts';
import { HealthReply, StatusReply } from '../../src/daemon/api/schema.ts';
import { compiled } from './compile-cache.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The bundle of this run (build-program.ts); in projects that make none, the sources. */
export const PROGRAM =
  process.env.EGRESSTRATOR_TEST_PROGRAM ?? fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export type Environment = Readonly<Record<string, string>>;

export interface CliResult {
  /** Undefined if a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command to its end. It sees nothing of this process's environment. */
export async function runCli(args: readonly string[], environment: Environment = {}): Promise<CliResult> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [PROGRAM, ...args], {
    ...{ cwd: root, stdin: 'ignore', reject: false, extendEnv: false, timeout: 60_000 },
    env: { PATH: searchPath(), ...compiled, ...environment },
  });
  return { code: exitCode, stdout, stderr };
}

type Status = z.infer<typeof StatusReply>;

export interface LogLine {
  readonly level: string;
  /** ISO 8601, in UTC. */
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface ControllerOptions {
  readonly engine: Pick<Engine, 'socketPath'>;
  /** Of the Engine, to run in its network namespace; default: none. */
  readonly networkPrefix?: readonly string[];
  readonly args?: readonly string[];
  readonly environment?: Environment;
  /** Those of a controller before it, to take them over; default: new ones. */
  readonly folder?: string;
  /** A file to execute; default: `PROGRAM`, by this Node.js. */
  readonly program?: string;
  /** Default: to be ready. */
  readonly until?: 'ready' | 'listening';
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class RunningController implements AsyncDisposable {
  /** Holds `api.sock`, `state` and `run`. */
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  readonly #keepsFolder: boolean;
  readonly #lines: LogLine[] = [];
  #output = '';
  /** The beginning of a line whose end has not come yet. */
  #begun = '';

  constructor(options: ControllerOptions) {
    const { engine, args = [], environment = {}, folder, program, networkPrefix = [] } = options;
    this.folder = folder ?? mkdtempSync(join(tmpdir(), 'egt-'));
    this.#keepsFolder = folder !== undefined;
    const folders = ['--state-dir', join(this.folder, 'state'), '--run-dir', join(this.folder, 'run')];
    const own = ['--socket', this.socket, ...folders, '--log-level', 'debug'];
    const docker = ['--docker-host', `unix://${engine.socketPath}`];
    // It ends with this process, however that ends.
    const run = program === undefined ? [process.execPath, PROGRAM] : [program];
    const tied = [...networkPrefix, 'setpriv', '--pdeathsig', 'KILL'];
    const [file = '', ...command] = [...tied, ...run, ...docker, ...own, ...args];
    this.#child = spawn(file, command, {
      cwd: root,
      env: { PATH: `${dirname(process.execPath)}:${searchPath()}`, ...compiled, ...environment },
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (chunk: string) => this.#hear(chunk));
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  /** `setpriv` becomes the program, so this is its own. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get socket(): string {
    return join(this.folder, 'api.sock');
  }

  /** What it has printed to standard error, as it is. */
  get output(): string {
    return this.#output;
  }

  /** Its log so far; a line that is none counts as a message. */
  get log(): readonly LogLine[] {
    return this.#lines;
  }

  /** The first line that fits, once there is one. `from`: how many lines to pass over. */
  logged(fits: (line: LogLine) => boolean, what: string, from = 0, timeout = 60_000): Promise<LogLine> {
    const look = () => this.#lines.slice(from).find(fits);
    return waitFor(look, { what: `the log line "${what}"`, timeout, interval: 20 }).catch((error) => {
      throw new Error(`${error}\n${this.output}`);
    });
  }

  #hear(chunk: string): void {
    this.#output += chunk;
    const lines = `${this.#begun}${chunk}`.split('\n');
    this.#begun = lines.pop() ?? '';
    for (const line of lines) this.#lines.push(lineFrom(line));
  }

  async status(): Promise<Status> {
    return StatusReply.parse(await getJson(this.socket, '/v1/status'));
  }

  /** In the text format of Prometheus. */
  metrics(): Promise<string> {
    return getText(this.socket, '/metrics');
  }

  async ready(until: 'ready' | 'listening' = 'ready'): Promise<void> {
    const path = until === 'ready' ? '/readyz' : '/healthz';
    const look = async () => {
      if (this.#child.exitCode !== null) throw new Error(`the controller ended:\n${this.output}`);
      return HealthReply.parse(await getJson(this.socket, path).catch(() => ({ ok: false }))).ok;
    };
    await waitFor(look, { what: 'the controller', timeout: 90_000, interval: 20 }).catch((error) => {
      throw new Error(`${error}\n${this.output}`);
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.#child.kill(signal);
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
    if (!this.#keepsFolder) rmSync(this.folder, { recursive: true, force: true });
  }
}

const lineFrom = (line: string): LogLine =>
  line.startsWith('{') ? JSON.parse(line) : { level: 'none', time: '', msg: line };

/** Starts the controller and waits for it. */
export async function startController(options: ControllerOptions): Promise<RunningController> {
  const controller = new RunningController(options);
  try {
    await controller.ready(options.until);
  } catch (error) {
    await controller[Symbol.asyncDispose]();
    throw error;
  }
  return controller;
}

export const packageVersion = (): string =>
  String(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);

const getJson = async (socketPath: string, path: string): Promise<unknown> =>
  JSON.parse(await getText(socketPath, path));

function getText(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, timeout: 30_000 }, (response) => {
      text(response).then(resolve, reject);
    })
      .on('error', reject)
      .end();
  });
}
