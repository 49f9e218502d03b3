/**
 * Builds the configuration from flags and environment, and reports all problems at once.
 */
import { hostname } from 'node:os';
import type { Mode } from '../inventory/workload.ts';
import type { Prefix } from '../net/address.ts';
import { type Environment, type Flags, type MaxAge, OptionReader } from './option-reader.ts';

export type { Environment, Flags } from './option-reader.ts';

export interface Config {
  readonly consul: {
    readonly address: string;
    readonly token: string | undefined;
    readonly tokenFile: string | undefined;
    readonly kvPath: string;
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
  readonly named: { readonly consul: boolean; readonly kvPath: boolean; readonly docker: boolean };
  readonly docker: { readonly host: string; readonly image: string | undefined };
  readonly loader: 'helper' | 'nsenter' | 'auto';
  readonly template: string;
  readonly protectedHosts: readonly Prefix[];
  readonly mode: Mode;
  /** Undefined: nothing is stored. */
  readonly stateDir: string | undefined;
  /** Undefined: no limit. */
  readonly maxAge: MaxAge | undefined;
  /** Undefined: nothing is prepared for the gate. */
  readonly runDir: string | undefined;
  /** Lists of ACL keys to prepare for the gate. */
  readonly prepare: readonly (readonly string[])[];
  readonly socket: string;
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
      docker: flags.dockerHost !== undefined,
    },
    docker: { host: read.text('dockerHost'), image: read.optional('image') },
    loader: read.word('loader', ['helper', 'nsenter', 'auto']),
    template: read.text('template'),
    protectedHosts: read.addresses('protect'),
    mode: read.word('mode', ['enforce', 'audit']),
    stateDir: read.text('stateDir') === 'none' ? undefined : read.text('stateDir'),
    maxAge: read.maxAge(),
    runDir: read.text('runDir') === 'none' ? undefined : read.text('runDir'),
    prepare: read.keyLists('prepare'),
    socket: read.text('socket'),
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

/** The default folder for the status of hosts. */
export const PUBLISHED = 'egress/status/';
