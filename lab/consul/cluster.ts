/** The servers of one Consul datacenter of the lab, and its client agents, handled together. */
import { rmSync } from 'node:fs';
import type { Certificates } from './certificates.ts';
import { type ConsulReply, callConsul } from './http.ts';
import type { ConsulServer } from './server.ts';
import type { ServerPlan } from './settings.ts';

/** All of these operations also exist for each of `servers` and `agents`. */
export class Consul {
  /** Of the first server: `http://127.0.0.1:21234`. */
  readonly address: string;
  readonly servers: readonly ConsulServer[];
  /** Client agents. */
  readonly agents: readonly ConsulServer[];
  /** For another datacenter's `joinWan`. */
  readonly wanAddresses: readonly string[];
  /** Of the first server, `127.0.0.1:28600`; undefined if it answers no DNS. */
  readonly dnsAddress: string | undefined;
  /** With ACLs. */
  readonly bootstrapToken: string | undefined;
  /** With TLS. */
  readonly certificates: Certificates | undefined;
  readonly #folder: string;

  constructor(folder: string, plans: readonly ServerPlan[], members: readonly ConsulServer[]) {
    const expect = plans[0]?.expect ?? 1;
    this.#folder = folder;
    this.servers = members.slice(0, expect);
    this.agents = members.slice(expect);
    this.address = members[0]?.address ?? '';
    this.wanAddresses = plans
      .slice(0, expect)
      .map(({ bindAddress, ports }) => `${bindAddress}:${ports.serfWan}`);
    const [first] = plans;
    this.dnsAddress = first?.ports.dns === undefined ? undefined : `${first.reachedAt}:${first.ports.dns}`;
    this.bootstrapToken = plans[0]?.token;
    this.certificates = plans[0]?.certificates;
  }

  /** Calls the first server, with the bootstrap token and the client certificate. */
  call(method: string, path: string, body?: unknown): Promise<ConsulReply> {
    const { address, bootstrapToken: token, certificates } = this;
    return callConsul({ address, token, certificates }, method, path, body);
  }

  async start(): Promise<void> {
    for (const member of this.#members) member.start();
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

  /** SIGSTOP: connections stay open, and there are no answers. */
  async freeze(): Promise<void> {
    await this.#all((server) => server.freeze());
  }

  thaw(): void {
    for (const member of this.#members) member.thaw();
  }

  /** Stops it and removes all its files, except the caller's `dataDir`. */
  async stop(): Promise<void> {
    await this.#all((server) => server.stop());
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #members(): readonly ConsulServer[] {
    return [...this.servers, ...this.agents];
  }

  async #all(work: (member: ConsulServer) => Promise<void>): Promise<void> {
    await Promise.all(this.#members.map(work));
  }
}
