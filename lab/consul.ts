/**
 * A real Consul: one dev agent by default, with ACLs, TLS, three servers or a second datacenter where
 * asked for. All its ports are free ones, so any number run side by side.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificates, makeCertificates } from './consul/certificates.ts';
import { type ConsulReply, callConsul } from './consul/http.ts';
import { consulProgram } from './consul/program.ts';
import { ConsulServer } from './consul/server.ts';
import type { ServerPlan } from './consul/settings.ts';
import type { Engine } from './engine.ts';
import { labRunFolder } from './paths.ts';
import { freePorts } from './ports.ts';
import { timed } from './say.ts';

export { makeCertificates } from './consul/certificates.ts';
export type { ConsulReply } from './consul/http.ts';
export { ConsulServer } from './consul/server.ts';

export interface ConsulOptions {
  /** Three are a cluster on 127.0.0.11 to .13; default 1. */
  readonly servers?: 1 | 3;
  /** Default deny, with a bootstrap token. Default false. */
  readonly acl?: boolean;
  /** HTTPS only; `mutual`: clients must show a certificate. Default false. */
  readonly tls?: boolean | 'mutual';
  /** Default `dc1`. */
  readonly datacenter?: string;
  /** Where clients are served; default: loopback. `0.0.0.0` lets containers in. */
  readonly clientAddress?: string;
  /** HTTP(S) port of the first server; default: a free one. */
  readonly port?: number;
  /** Kept by the caller. Default for one server: none, a restart forgets all; for three: a folder of the lab. */
  readonly dataDir?: string;
  /** `wanAddresses` of another datacenter, to be federated with. */
  readonly joinWan?: readonly string[];
  /** Runs where this Engine runs, so that its `--network host` containers find it on their loopback. */
  readonly engine?: Pick<Engine, 'networkPrefix' | 'publishedAddress'>;
  /** Default true. */
  readonly diesWithParent?: boolean;
}

export interface Consul {
  /** Of the first server: `http://127.0.0.1:21234`. */
  readonly address: string;
  readonly servers: readonly ConsulServer[];
  readonly wanAddresses: readonly string[];
  /** With ACLs. */
  readonly bootstrapToken: string | undefined;
  /** With TLS. */
  readonly certificates: Certificates | undefined;
  /** Asks the first server, with bootstrap token and client certificate. */
  call(method: string, path: string, body?: unknown): Promise<ConsulReply>;
  /** Each of these is about all servers; for one, see `servers`. */
  start(): Promise<void>;
  restart(): Promise<void>;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Ends it and removes what it has written, but for the caller's `dataDir`. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startConsul(options: ConsulOptions = {}): Promise<Consul> {
  const folder = mkdtempSync(join(labRunFolder('consul'), 'run-'));
  const program = await consulProgram();
  const plans = await serverPlans(options, folder);
  const { engine, diesWithParent = true } = options;
  const networkPrefix = engine?.networkPrefix ?? [];
  const servers = plans.map(
    (plan) =>
      new ConsulServer({ program, plan, folder: join(folder, plan.name), networkPrefix, diesWithParent }),
  );
  const consul = consulHandle(folder, plans, servers);
  const what = `started Consul ${program.version.join('.')} at ${consul.address}`;
  await timed(what, () => startOrCleanUp(consul));
  return consul;
}

async function startOrCleanUp(consul: Consul): Promise<void> {
  try {
    await consul.start();
  } catch (error) {
    await consul.stop();
    throw error;
  }
}

function consulHandle(
  folder: string,
  plans: readonly ServerPlan[],
  servers: readonly ConsulServer[],
): Consul {
  const address = servers[0]?.address ?? '';
  const { token, certificates } = plans[0] ?? {};
  const all = async (work: (server: ConsulServer) => Promise<void>) =>
    void (await Promise.all(servers.map(work)));
  const start = async () => {
    for (const server of servers) server.start();
    await all((server) => server.untilReady());
  };
  const stop = async () => {
    await all((server) => server.stop());
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    ...{ address, servers, certificates, bootstrapToken: token, start, stop },
    wanAddresses: plans.map(({ bindAddress, ports }) => `${bindAddress}:${ports.serfWan}`),
    call: (method, path, body) => callConsul({ address, token, certificates }, method, path, body),
    restart: async () => {
      await all((server) => server.stop());
      await start();
    },
    kill: () => all((server) => server.kill()),
    freeze: () => {
      for (const server of servers) server.freeze();
    },
    thaw: () => {
      for (const server of servers) server.thaw();
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function serverPlans(options: ConsulOptions, folder: string): Promise<readonly ServerPlan[]> {
  const { servers: expect = 1, datacenter = 'dc1', joinWan = [], tls = false } = options;
  const common = {
    ...{ datacenter, expect, joinWan },
    mutualTls: tls === 'mutual',
    token: options.acl === true ? randomUUID() : undefined,
    certificates: tls === false ? undefined : await certificatesFor(options, folder),
  };
  const addresses = bindAddresses(expect);
  const ports = await Promise.all(addresses.map((address) => freePorts(4, address)));
  const lanAddresses = addresses.map((address, index) => `${address}:${ports[index]?.[2]}`);
  return addresses.map((bindAddress, index): ServerPlan => {
    const [http = 0, server = 0, serfLan = 0, serfWan = 0] = ports[index] ?? [];
    const name = `${datacenter}-${index + 1}`;
    return {
      ...{ ...common, name, bindAddress },
      ...clientAddresses(options, bindAddress),
      ports: { http: index === 0 ? (options.port ?? http) : http, server, serfLan, serfWan },
      dataDir: dataDirOf(options, folder, name),
      join: lanAddresses.filter((_, other) => other !== index),
    };
  });
}

function clientAddresses({ clientAddress, engine }: ConsulOptions, bindAddress: string) {
  if (engine !== undefined) return { clientAddress: '0.0.0.0', reachedAt: engine.publishedAddress };
  const reachedAt = clientAddress === '0.0.0.0' ? bindAddress : (clientAddress ?? bindAddress);
  return { clientAddress: clientAddress ?? bindAddress, reachedAt };
}

function bindAddresses(servers: 1 | 3): readonly string[] {
  return servers === 1 ? ['127.0.0.1'] : ['127.0.0.11', '127.0.0.12', '127.0.0.13'];
}

function dataDirOf(
  { dataDir, servers = 1 }: ConsulOptions,
  folder: string,
  name: string,
): string | undefined {
  if (dataDir !== undefined) return join(dataDir, name);
  return servers === 1 ? undefined : join(folder, name, 'data');
}

function certificatesFor({ datacenter = 'dc1', clientAddress, engine }: ConsulOptions, folder: string) {
  const hosts = ['localhost', `server.${datacenter}.consul`, ...bindAddresses(1), ...bindAddresses(3), '::1'];
  const extra = [clientAddress, engine?.publishedAddress].filter((host) => host !== undefined);
  return makeCertificates(join(folder, 'tls'), [...hosts, ...extra]);
}
