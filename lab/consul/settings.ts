/** The configuration file of one Consul agent of the lab, a server or a client. */
import type { Certificates } from './certificates.ts';
import { type ConsulProgram, isAtLeast } from './program.ts';

export interface ServerPorts {
  readonly http: number;
  readonly server: number;
  readonly serfLan: number;
  readonly serfWan: number;
  /** Of DNS; undefined: it is off. */
  readonly dns?: number | undefined;
}

export interface ServerPlan {
  readonly name: string;
  readonly datacenter: string;
  /** The address for other servers. */
  readonly bindAddress: string;
  /** The address for clients. */
  readonly clientAddress: string;
  /** Its address as this machine reaches it. */
  readonly reachedAt: string;
  readonly ports: ServerPorts;
  /** Undefined: a dev agent, which keeps all in memory. */
  readonly dataDir?: string | undefined;
  /** `address:port` of the cluster's other servers, and of other datacenters' servers. */
  readonly join: readonly string[];
  readonly joinWan: readonly string[];
  /** The number of servers in the cluster. */
  readonly expect: number;
  /** A client agent, as runs on each host: holds no data and asks the servers. */
  readonly isClient: boolean;
  /** That one client may hold; undefined: Consul's own limit. */
  readonly connections?: number | undefined;
  readonly token?: string | undefined;
  readonly certificates?: Certificates | undefined;
  /** Clients must show a certificate. */
  readonly mutualTls: boolean;
}

export function serverSettings(program: ConsulProgram, plan: ServerPlan): Record<string, unknown> {
  return {
    node_name: plan.name,
    datacenter: plan.datacenter,
    bind_addr: plan.bindAddress,
    client_addr: plan.clientAddress,
    ports: portSettings(program, plan),
    // The lab sends no requests to the internet.
    disable_update_check: true,
    leave_on_terminate: false,
    retry_join: plan.join,
    retry_interval: '1s',
    ...(plan.isClient ? {} : { retry_join_wan: plan.joinWan, retry_interval_wan: '1s' }),
    ...(plan.dataDir === undefined ? {} : persistence(plan, plan.dataDir)),
    ...(plan.connections === undefined ? {} : { limits: { http_max_conns_per_client: plan.connections } }),
    ...(plan.token === undefined ? {} : acl(program, plan.token)),
    ...(plan.certificates === undefined ? {} : tls(plan.certificates, plan.mutualTls)),
  };
}

function portSettings(program: ConsulProgram, { ports, certificates }: ServerPlan): Record<string, number> {
  const off = -1;
  return {
    http: certificates === undefined ? ports.http : off,
    https: certificates === undefined ? off : ports.http,
    dns: ports.dns ?? off,
    grpc: off,
    ...(isAtLeast(program, 1, 14) ? { grpc_tls: off } : {}),
    server: ports.server,
    serf_lan: ports.serfLan,
    serf_wan: ports.serfWan,
  };
}

function persistence({ expect, isClient }: ServerPlan, dataDir: string): Record<string, unknown> {
  if (isClient) return { server: false, data_dir: dataDir };
  return { server: true, bootstrap_expect: expect, data_dir: dataDir, performance: { raft_multiplier: 1 } };
}

/** The bootstrap token is configured, so it is the same after a restart that loses all data. */
function acl(program: ConsulProgram, token: string): Record<string, unknown> {
  const bootstrap = isAtLeast(program, 1, 11) ? 'initial_management' : 'master';
  return { acl: { enabled: true, default_policy: 'deny', tokens: { [bootstrap]: token, agent: token } } };
}

function tls({ caFile, server }: Certificates, mutual: boolean): Record<string, unknown> {
  return {
    ca_file: caFile,
    cert_file: server.certFile,
    key_file: server.keyFile,
    verify_incoming_https: mutual,
  };
}
