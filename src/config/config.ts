/**
 * Builds the configuration from flags and environment, and reports all problems at once.
 */
import { hostname } from 'node:os';
import type { Mode } from '../inventory/workload.ts';
import type { Prefix } from '../net/address.ts';
import { type NamesConfig, namesConfig } from './names-config.ts';
import { type Environment, type Flags, type MaxAge, OptionReader } from './option-reader.ts';

export type { Environment, Flags } from './option-reader.ts';

export interface Config {
  readonly consul: {
    readonly address: string;
    readonly token: string | undefined;
    readonly tokenFile: string | undefined;
    readonly kvPath: string;
    readonly ingressPath: string;
    readonly ssl: boolean;
    readonly caFile: string | undefined;
    readonly certFile: string | undefined;
    readonly keyFile: string | undefined;
    readonly health: 'any' | 'passing';
    /** Milliseconds that a blocking query waits for a change; undefined: the client's default. */
    readonly wait: number | undefined;
    /** For blocking queries on services. */
    readonly maxConnections: number;
  };
  /** The options that are on the command line: a controller with other values must not answer. */
  readonly named: {
    readonly consul: boolean;
    readonly kvPath: boolean;
    readonly ingressPath: boolean;
    readonly docker: boolean;
  };
  readonly docker: { readonly host: string; readonly image: string | undefined };
  readonly loader: 'helper' | 'nsenter' | 'auto';
  readonly template: string;
  readonly protectedHosts: readonly Prefix[];
  readonly mode: Mode;
  readonly names: NamesConfig;
  /** The host's own rules; undefined: it has none. */
  readonly host: HostConfig | undefined;
  /** The path of networks.json; undefined: there is none. */
  readonly networks: string | undefined;
  /** Undefined: nothing is stored. */
  readonly stateDir: string | undefined;
  /** Undefined: no limit. */
  readonly maxAge: MaxAge | undefined;
  /** Undefined: nothing is prepared for the gate. */
  readonly runDir: string | undefined;
  /** Lists of ACL keys to prepare for the gate. */
  readonly prepare: readonly (readonly string[])[];
  /** The same of ingress keys. */
  readonly prepareIngress: readonly (readonly string[])[];
  readonly socket: string;
  /** The socket for the page; undefined: there is none. */
  readonly watch: WatchConfig | undefined;
  readonly concurrency: number;
  /** Milliseconds. */
  readonly driftInterval: number;
  /** Milliseconds; 0: denied destinations are read only on request. */
  readonly deniedInterval: number;
  /** Undefined: only the socket is served. */
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  /** Accepted host names besides addresses and localhost. */
  readonly allowHosts: readonly string[];
  /** The name of this host in Consul. */
  readonly node: string;
  /** The name of the service in Consul; undefined: none. */
  readonly register: string | undefined;
  /** The folder in Consul for the status, with a slash at its end; undefined: nothing is published. */
  readonly publish: string | undefined;
  readonly dryRun: boolean;
  readonly log: { readonly level: LogLevel; readonly format: 'auto' | 'json' | 'text' };
}

export interface WatchConfig {
  readonly socket: string;
  /** The name or the number of the group that may use it. */
  readonly group: string;
}

export interface HostConfig {
  /** Undefined: container ports are not guarded. */
  readonly guard:
    | {
        readonly mode: 'observe' | 'enforce';
        readonly families: readonly (4 | 6)[];
        readonly isBetween: boolean;
      }
    | undefined;
  readonly bridges: readonly string[] | 'all';
  /** `consul`: of this node; otherwise by registrator's conventions, with its options. */
  readonly services: 'consul' | { readonly isInternal: boolean; readonly isExplicit: boolean };
  readonly forwards: 'auto' | 'on' | 'off';
  /** Undefined: the included one. */
  readonly template: string | undefined;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Throws a `UsageError` with all invalid options. */
export function resolveConfig(flags: Flags, environment: Environment): Config {
  const read = new OptionReader(flags, environment);
  const config: Config = {
    consul: {
      address: read.text('consul'),
      token: read.optional('consulToken'),
      tokenFile: read.optional('consulTokenFile'),
      kvPath: read.text('kvPath'),
      ingressPath: read.ingressPath(),
      ssl: read.flag('ssl'),
      caFile: read.optional('sslCaCert'),
      certFile: read.optional('sslCert'),
      keyFile: read.optional('sslKey'),
      health: read.word('serviceHealth', ['any', 'passing']),
      wait: read.seconds('consulWait', 1, 600),
      maxConnections: read.integer('consulConnections', 1, 10_000),
    },
    named: {
      consul: flags.consul !== undefined,
      kvPath: flags.kvPath !== undefined,
      ingressPath: flags.ingressPath !== undefined,
      docker: flags.dockerHost !== undefined,
    },
    docker: { host: read.text('dockerHost'), image: read.optional('image') },
    loader: read.word('loader', ['helper', 'nsenter', 'auto']),
    template: read.text('template'),
    protectedHosts: read.addresses('protect'),
    mode: read.word('mode', ['enforce', 'audit']),
    names: namesConfig(read),
    host: hostConfig(read),
    networks: read.optional('networks'),
    stateDir: read.text('stateDir') === 'none' ? undefined : read.text('stateDir'),
    maxAge: read.maxAge(),
    runDir: read.text('runDir') === 'none' ? undefined : read.text('runDir'),
    prepare: read.keyLists('prepare'),
    prepareIngress: read.keyLists('prepareIngress'),
    socket: read.text('socket'),
    watch: watchConfig(read),
    concurrency: read.integer('concurrency', 1, 64),
    driftInterval: read.integer('driftInterval', 1, 86_400) * 1000,
    deniedInterval: read.integer('deniedInterval', 0, 86_400) * 1000,
    listen: read.endpoint('listen'),
    allowHosts: read.hostNames('allowHost'),
    node: read.optional('node') ?? hostname(),
    register: read.text('register') === 'none' ? undefined : read.text('register'),
    publish: read.folder('publish', PUBLISHED),
    dryRun: read.flag('dryRun'),
    log: {
      level: read.word('logLevel', ['debug', 'info', 'warn', 'error']),
      format: read.word('logFormat', ['auto', 'json', 'text']),
    },
  };
  read.finish();
  return config;
}

function watchConfig(read: OptionReader): WatchConfig | undefined {
  const socket = read.text('watchSocket');
  return socket === 'none' ? undefined : { socket, group: read.text('watchGroup') };
}

function hostConfig(read: OptionReader): HostConfig | undefined {
  const isAsBefore = NETFILTER.test(read.text('ports'));
  const modes = ['off', 'observe', 'enforce'] as const;
  const mode = isAsBefore ? 'enforce' : read.word('ports', modes, 'netfilter://<chain>/<set>');
  const services = hostServices(read, isAsBefore ? 'engine' : 'consul');
  const forwards = read.word('forwards', ['off', 'auto', 'on']);
  const family = read.word('portsFamily', ['6', '4', 'both']);
  const isBetween = read.word('portsBetween', ['allow', 'guard']) === 'guard';
  const bridges = read.devices('portsBridges');
  const template = read.optional('hostTemplate');
  if (mode === 'off' && forwards === 'off' && read.optional('networks') === undefined) return undefined;
  const families = FAMILIES[family];
  const guard = mode === 'off' ? undefined : { mode, families, isBetween };
  return { guard, bridges, services, forwards, template };
}

/**
 * How registrator was told to use registrator-netfilter: it closed what registrator itself did not register. The chain
 * and the set are not used, as all rules are in a table of their own.
 */
const NETFILTER = /^netfilter:(\/\/[\w.-]*(\/[\w.-]*)?)?$/;

function hostServices(read: OptionReader, otherwise: 'consul' | 'engine'): HostConfig['services'] {
  const [isInternal, isExplicit] = [read.flag('portsInternal'), read.flag('portsExplicit')];
  const source = read.word('portsServices', ['consul', 'engine']);
  const isNamed = read.isNamed('portsServices');
  return (isNamed ? source : otherwise) === 'consul' ? 'consul' : { isInternal, isExplicit };
}

const FAMILIES = { 4: [4], 6: [6], both: [4, 6] } as const;

/** The default folder for the status of hosts. */
export const PUBLISHED = 'egress/status/';
