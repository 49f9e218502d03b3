/**
 * From flags and environment to a configuration, with every problem reported at once.
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
    /** Milliseconds that a blocking query hangs without news; undefined: the adapter's own. */
    readonly wait: number | undefined;
    /** For blocking queries on services. */
    readonly maxConnections: number;
  };
  /** What is named on the command line: then no controller that works with others may answer. */
  readonly named: { readonly consul: boolean; readonly kvPath: boolean; readonly docker: boolean };
  readonly docker: { readonly host: string; readonly image: string | undefined };
  readonly loader: 'helper' | 'nsenter' | 'auto';
  readonly template: string;
  readonly protectedHosts: readonly Prefix[];
  readonly mode: Mode;
  /** undefined: nothing is kept. */
  readonly stateDir: string | undefined;
  /** undefined: what is known counts however old it is. */
  readonly maxAge: MaxAge | undefined;
  /** undefined: nothing is prepared for the gate. */
  readonly runDir: string | undefined;
  /** Lists of ACL keys to prepare for the gate. */
  readonly prepare: readonly (readonly string[])[];
  readonly socket: string;
  readonly concurrency: number;
  /** Milliseconds. */
  readonly driftInterval: number;
  /** Milliseconds; 0: destinations are read only when somebody asks. */
  readonly deniedInterval: number;
  /** undefined: only the socket is served. */
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  /** Names by which it may be called there, beside addresses and localhost. */
  readonly allowHosts: readonly string[];
  /** What this host is called in Consul. */
  readonly node: string;
  /** The service to register as; undefined: none. */
  readonly register: string | undefined;
  /** The folder to publish in, with a slash at its end; undefined: nothing is published. */
  readonly publish: string | undefined;
  readonly dryRun: boolean;
  readonly log: { readonly level: LogLevel; readonly format: 'auto' | 'json' | 'text' };
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Throws a `UsageError` that names every option that can't be used. */
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

/** Where hosts publish their status unless told otherwise. */
export const PUBLISHED = 'egress/status/';
