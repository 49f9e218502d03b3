/** The servers of one Consul datacenter of the lab, handled together. */
import { rmSync } from 'node:fs';
import type { Certificates } from './certificates.ts';
import { type ConsulReply, callConsul } from './http.ts';
import type { ConsulServer } from './server.ts';
import type { ServerPlan } from './settings.ts';

/** What is said of all servers here, each of `servers` can do for itself. */
export class Consul {
  /** Of the first server: `http://127.0.0.1:21234`. */
  readonly address: string;
  readonly servers: readonly ConsulServer[];
  /** For another datacenter's `joinWan`. */
  readonly wanAddresses: readonly string[];
  /** With ACLs. */
  readonly bootstrapToken: string | undefined;
  /** With TLS. */
  readonly certificates: Certificates | undefined;
  readonly #folder: string;

  constructor(folder: string, plans: readonly ServerPlan[], servers: readonly ConsulServer[]) {
    this.#folder = folder;
    this.servers = servers;
    this.address = servers[0]?.address ?? '';
    this.wanAddresses = plans.map(({ bindAddress, ports }) => `${bindAddress}:${ports.serfWan}`);
    this.bootstrapToken = plans[0]?.token;
    this.certificates = plans[0]?.certificates;
  }

  /** Asks the first server, with bootstrap token and client certificate. */
  call(method: string, path: string, body?: unknown): Promise<ConsulReply> {
    const { address, bootstrapToken: token, certificates } = this;
    return callConsul({ address, token, certificates }, method, path, body);
  }

  async start(): Promise<void> {
    for (const server of this.servers) server.start();
    await this.#all((server) => server.untilReady());
  }

  async restart(): Promise<void> {
    await this.#all((server) => server.stop());
    await this.start();
  }

  /** SIGKILL, as a crash. */
  async kill(): Promise<void> {
    await this.#all((server) => server.kill());
  }

  /** SIGSTOP: connections stay open and nothing answers. */
  async freeze(): Promise<void> {
    await this.#all((server) => server.freeze());
  }

  thaw(): void {
    for (const server of this.servers) server.thaw();
  }

  /** Ends it and removes what it has written, but for the caller's `dataDir`. */
  async stop(): Promise<void> {
    await this.#all((server) => server.stop());
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #all(work: (server: ConsulServer) => Promise<void>): Promise<void> {
    await Promise.all(this.servers.map(work));
  }
}
