/**
 * From flags and environment to a configuration, with every problem reported at once.
 */
import { hostname } from 'node:os';
import { UsageError } from '../common/errors.ts';
import { type Mode, parseKeyList } from '../inventory/workload.ts';
import { type Prefix, parseAddress } from '../net/address.ts';
import { ALL_OPTIONS, type OptionName, type OptionSpec } from './options.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** As commander hands them over: text, or true for a flag without a value. */
export type Flags = Readonly<Record<string, unknown>>;

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
  /** True if the Consul or the keys are named on the command line: then no controller of others may answer. */
  readonly asksConsul: boolean;
  readonly docker: { readonly host: string; readonly image: string | undefined };
  readonly loader: 'helper' | 'nsenter' | 'auto';
  readonly template: string;
  readonly protectedHosts: readonly Prefix[];
  readonly mode: Mode;
  /** undefined: nothing is kept. */
  readonly stateDir: string | undefined;
  /** undefined: what is known counts however old it is. `limit` in ms. */
  readonly maxAge: { readonly limit: number; readonly action: MaxAgeAction } | undefined;
  /** undefined: nothing is prepared for the gate. */
  readonly runDir: string | undefined;
  /** Lists of ACL keys to prepare for the gate. */
  readonly prepare: readonly (readonly string[])[];
  readonly socket: string;
  readonly concurrency: number;
  /** Milliseconds. */
  readonly driftInterval: number;
  /** Milliseconds; 0: refusals are read only when somebody asks. */
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

/** `lock`: rules that are too old grant nothing, nor do such services. `drop-services`: the services alone. */
export type MaxAgeAction = 'lock' | 'drop-services';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Throws a `UsageError` that names every option that can't be used. */
export function resolveConfig(flags: Flags, environment: Environment): Config {
  const read = new Reader(flags, environment);
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
    asksConsul: flags.consul !== undefined || flags.kvPath !== undefined,
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

/** Milliseconds. Rules are confirmed each 15 s, and a Consul that is restarted is back within some seconds. */
const LEAST_AGE = 30_000;
const MOST_AGE = 365 * 86_400_000;

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** In milliseconds; undefined for what is none. A number without a unit counts seconds. */
function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (UNITS[unit || 's'] ?? 0);
}

const TRUE = new Set(['1', 'true', 'yes', 'on']);

class Reader {
  readonly #flags: Flags;
  readonly #environment: Environment;
  readonly #problems: string[] = [];

  constructor(flags: Flags, environment: Environment) {
    this.#flags = flags;
    this.#environment = environment;
  }

  /** An empty variable counts as unset, as Consul's and Docker's own tools have it. */
  optional(name: OptionName): string | undefined {
    const { variable }: OptionSpec = ALL_OPTIONS[name];
    const flag = this.#flags[name];
    if (typeof flag === 'string') return flag;
    const value = variable === undefined ? undefined : this.#environment[variable];
    return value === '' ? undefined : value;
  }

  text(name: OptionName): string {
    const { fallback }: OptionSpec = ALL_OPTIONS[name];
    return this.optional(name) ?? fallback ?? '';
  }

  flag(name: OptionName): boolean {
    const flag = this.#flags[name];
    return typeof flag === 'boolean' ? flag : TRUE.has((this.optional(name) ?? '').toLowerCase());
  }

  word<const T extends string>(name: OptionName, words: readonly [T, ...T[]]): T {
    const text = this.text(name).toLowerCase();
    const known = words.find((word) => word === text);
    if (known === undefined) this.#refuse(name, `expected ${words.join(', ')}`);
    return known ?? words[0];
  }

  /** In milliseconds; undefined where nothing is said. */
  seconds(name: OptionName, least: number, most: number): number | undefined {
    return this.optional(name) === undefined ? undefined : this.integer(name, least, most) * 1000;
  }

  /** Where a query may hang longer than what it tells counts, all would be locked between two answers. */
  maxAge(): Config['maxAge'] {
    const action = this.word('maxAgeAction', ['lock', 'drop-services']);
    const text = this.text('maxAge');
    if (text === 'none') return undefined;
    const least = Math.max(LEAST_AGE, 2 * (this.seconds('consulWait', 1, 600) ?? 0));
    const limit = parseDuration(text);
    if (limit !== undefined && limit >= least && limit <= MOST_AGE) return { limit, action };
    this.#refuse(
      'maxAge',
      `expected a duration from ${least / 1000}s to 365d, such as 90s, 15m, 12h or 2d, or none`,
    );
    return undefined;
  }

  integer(name: OptionName, least: number, most: number): number {
    const text = this.text(name);
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    this.#refuse(name, `expected a whole number from ${least} to ${most}`);
    return least;
  }

  /** `whole`: for a flag without a value. Not below the rules, where it would be taken for one. */
  folder(name: OptionName, whole: string): string | undefined {
    const text = this.#flags[name] === true ? whole : this.optional(name);
    if (text === undefined) return undefined;
    const folder = `${text.replace(/^\/+|\/+$/g, '')}/`;
    const rules = `${this.text('kvPath').replace(/^\/+|\/+$/g, '')}/`;
    if (folder === '/' || folder.startsWith(rules)) this.#refuse(name, `expected a path outside of ${rules}`);
    return folder;
  }

  /** Lists of keys, which are for a gate: without a folder to share with it, nobody would use them. */
  keyLists(name: OptionName): readonly (readonly string[])[] {
    const lists = this.text(name).split(';').map(parseKeyList);
    const filled = lists.filter((keys) => keys.length > 0);
    if (filled.length > 0 && this.text('runDir') === 'none') {
      this.#refuse(name, 'expected no keys if --run-dir is none');
    }
    return filled;
  }

  /** `9464`, `0.0.0.0:9464` or `[::1]:9464`. */
  endpoint(name: OptionName): { readonly host: string; readonly port: number } | undefined {
    const text = this.optional(name);
    if (text === undefined) return undefined;
    const match = /^(?:(?:\[([\da-f:]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(text);
    const port = Number(match?.[3] ?? Number.NaN);
    if (port <= 65_535) return { host: match?.[1] ?? match?.[2] ?? '127.0.0.1', port };
    this.#refuse(name, 'expected a port, or host:port');
    return undefined;
  }

  hostNames(name: OptionName): readonly string[] {
    const names = parseKeyList(this.text(name));
    if (!names.every((one) => /^[\w.-]+$/.test(one)))
      this.#refuse(name, 'expected host names without ports, separated by commas');
    return names;
  }

  addresses(name: OptionName): readonly Prefix[] {
    if (this.text(name) === 'none') return [];
    return this.text(name)
      .split(',')
      .map((text) => text.trim())
      .flatMap((text) => {
        const address = parseAddress(text);
        if (address === undefined) this.#refuse(name, 'expected IP addresses separated by commas');
        return address ?? [];
      });
  }

  finish(): void {
    const [first, ...others] = new Set(this.#problems);
    if (first !== undefined) throw new UsageError(first, ...others);
  }

  #refuse(name: OptionName, expectation: string): void {
    const { flags, variable }: OptionSpec = ALL_OPTIONS[name];
    const flag = /--[\w-]+/.exec(flags)?.[0] ?? flags;
    const place = typeof this.#flags[name] === 'string' || variable === undefined ? flag : variable;
    this.#problems.push(`${place}: ${expectation}, not "${this.text(name)}"`);
  }
}
