/** The settings of each server for the options of `startConsul`: addresses, ports, tokens, certificates. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from '../engine.ts';
import { LabError } from '../errors.ts';
import { freePorts } from '../ports.ts';
import { makeCertificates } from './certificates.ts';
import type { ServerPlan } from './settings.ts';

export interface ConsulOptions {
  /** Three are a cluster on 127.0.0.11 to .13; default 1. */
  readonly servers?: 1 | 3;
  /** Client agents on 127.0.0.21 and on, as run on hosts, joined to three servers; default 0. */
  readonly agents?: number;
  /** Default deny, with a bootstrap token. Default false. */
  readonly acl?: boolean;
  /** HTTPS only; `mutual`: clients must show a certificate. Default false. */
  readonly tls?: boolean | 'mutual';
  /** Default `dc1`. */
  readonly datacenter?: string;
  /** The address for clients; default: loopback. `0.0.0.0` accepts containers too. */
  readonly clientAddress?: string;
  /** HTTP(S) port of the first server; default: a free one. */
  readonly port?: number;
  /** The first server answers DNS, at a free port. Default false. */
  readonly dns?: boolean;
  /** A folder of the caller. Default for one server: none, so a restart loses all data; for three: a folder of the lab. */
  readonly dataDir?: string;
  /** `wanAddresses` of another datacenter to federate with. */
  readonly joinWan?: readonly string[];
  /** Runs in this Engine's network namespace, so that its `--network host` containers reach it on their loopback. */
  readonly engine?: Pick<Engine, 'networkPrefix' | 'publishedAddress'>;
  /** Connections that one client may hold (`limits.http_max_conns_per_client`); default: Consul's own, 200. */
  readonly connections?: number;
  /** Default true. */
  readonly diesWithParent?: boolean;
}

/** The settings of the servers, followed by those of the client agents. */
export async function serverPlans(options: ConsulOptions, folder: string): Promise<readonly ServerPlan[]> {
  const { servers: expect = 1, agents = 0, datacenter = 'dc1', joinWan = [], tls = false } = options;
  if (agents > 0 && expect === 1) throw new LabError('Client agents need three servers to join.');
  const common = {
    ...{ datacenter, expect, joinWan, connections: options.connections },
    mutualTls: tls === 'mutual',
    token: options.acl === true ? randomUUID() : undefined,
    certificates: tls === false ? undefined : await certificatesFor(options, folder),
  };
  const addresses = [...bindAddresses(expect), ...agentAddresses(agents)];
  const ports = await Promise.all(addresses.map((address) => freePorts(5, address)));
  const lanAddresses = addresses.slice(0, expect).map((address, index) => `${address}:${ports[index]?.[2]}`);
  return addresses.map((bindAddress, index): ServerPlan => {
    const [http = 0, server = 0, serfLan = 0, serfWan = 0, dns = 0] = ports[index] ?? [];
    const isClient = index >= expect;
    const name = isClient ? `${datacenter}-client-${index - expect + 1}` : `${datacenter}-${index + 1}`;
    return {
      ...{ ...common, name, bindAddress, isClient },
      ...clientAddresses(options, bindAddress),
      ports: {
        ...{ http: index === 0 ? (options.port ?? http) : http, server, serfLan, serfWan },
        ...(index === 0 && options.dns === true && { dns }),
      },
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

const agentAddresses = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `127.0.0.${21 + index}`);

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
