/** One Consul process of the lab, a server or a client agent. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError, tail } from '../errors.ts';
import {
  end,
  freeze,
  gone,
  isAlive,
  launch,
  type ProcessIdentity,
  readOrUndefined,
  signal,
} from '../process.ts';
import { waitFor } from '../wait.ts';
import { type ConsulAccess, callConsul } from './http.ts';
import type { ConsulProgram } from './program.ts';
import { type ServerPlan, serverSettings } from './settings.ts';

export interface ServerOptions {
  readonly program: ConsulProgram;
  readonly plan: ServerPlan;
  readonly folder: string;
  readonly networkPrefix: readonly string[];
  readonly diesWithParent: boolean;
}

export class ConsulServer {
  readonly address: string;
  readonly logFile: string;
  readonly #options: ServerOptions;
  #process: ProcessIdentity | undefined;

  constructor(options: ServerOptions) {
    const { plan, folder } = options;
    mkdirSync(folder, { recursive: true });
    const scheme = plan.certificates === undefined ? 'http' : 'https';
    this.address = `${scheme}://${plan.reachedAt}:${plan.ports.http}`;
    this.logFile = join(folder, 'consul.log');
    this.#options = options;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#process !== undefined && isAlive(this.#process) ? this.#process.pid : undefined;
  }

  /** Starts the process; `untilReady` waits for it to serve. */
  start(): void {
    if (this.pid !== undefined) return;
    const { program, plan, folder, networkPrefix, diesWithParent } = this.#options;
    const settings = join(folder, 'consul.json');
    writeFileSync(settings, JSON.stringify(serverSettings(program, plan), undefined, 2));
    const dev = plan.dataDir === undefined ? ['-dev'] : [];
    const [file = program.path, ...args] = [...networkPrefix, program.path];
    this.#process = launch({
      command: file,
      args: [...args, 'agent', ...dev, '-config-file', settings],
      logFile: this.logFile,
      // A stopped process does not handle SIGTERM.
      parentDeathSignal: diesWithParent ? 'KILL' : undefined,
    });
  }

  /** Waits until it knows a leader, all its peers and its own tokens. */
  async untilReady(): Promise<void> {
    const what = `Consul at ${this.address} to be ready`;
    try {
      await waitFor(() => this.#isReady(), { what, timeout: 90_000, interval: 100 });
    } catch (cause) {
      const log = tail(readOrUndefined(this.logFile) ?? '');
      throw new LabError(`Consul did not come up. The end of ${this.logFile}:\n${log}`, { cause });
    }
  }

  /** SIGTERM and wait. */
  async stop(): Promise<void> {
    if (this.#process !== undefined) await end(this.#process);
  }

  /** SIGKILL, as a crash. */
  async kill(): Promise<void> {
    if (this.#process === undefined) return;
    signal(this.#process, 'SIGKILL');
    await gone(this.#process);
  }

  /** SIGSTOP: connections stay open, and there are no answers. */
  async freeze(): Promise<void> {
    if (this.#process !== undefined) await freeze(this.#process);
  }

  thaw(): void {
    if (this.#process !== undefined) signal(this.#process, 'SIGCONT');
  }

  async #isReady(): Promise<boolean> {
    if (this.pid === undefined) throw new LabError('consul ended.');
    const { certificates, token, expect } = this.#options.plan;
    const access: ConsulAccess = { address: this.address, token, certificates };
    try {
      const peers = await callConsul(access, 'GET', '/v1/status/peers');
      const read = await callConsul(access, 'GET', '/v1/kv/?keys&consistent');
      const self = await callConsul(access, 'GET', '/v1/agent/self');
      const replies = [peers, self].every(({ status }) => status === 200) && [200, 404].includes(read.status);
      return replies && Array.isArray(peers.body) && peers.body.length >= expect;
    } catch {
      return false;
    }
  }
}
