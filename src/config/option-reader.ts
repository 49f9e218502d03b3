/**
 * Reads options from their flag, variable or default, and collects the problems.
 */
import { UsageError } from '../common/errors.ts';
import { parseKeyList } from '../inventory/workload.ts';
import { type Prefix, parseAddress } from '../net/address.ts';
import { type Endpoint, parseEndpoint } from '../net/endpoint.ts';
import { parseDuration } from './duration.ts';
import { ALL_OPTIONS, type OptionName, type OptionSpec } from './options.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** As commander returns them: text, or true for a flag without a value. */
export type Flags = Readonly<Record<string, unknown>>;

export interface MaxAge {
  /** Milliseconds. */
  readonly limit: number;
  /**
   * `lock`: rules and services that are too old grant nothing. `drop-services`: only services that are too old grant
   * nothing.
   */
  readonly action: 'lock' | 'drop-services';
}

interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** An address, or the path of a unix socket. */
export type Place = HostAndPort | string;

/** Milliseconds. Rules are confirmed each 15 s, and a restarted Consul answers again within seconds. */
const LEAST_AGE = 30_000;
const MOST_AGE = 365 * 86_400_000;

const TRUE = new Set(['1', 'true', 'yes', 'on']);

export class OptionReader {
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

  /** False if only its default is known. */
  isNamed(name: OptionName): boolean {
    return this.optional(name) !== undefined;
  }

  text(name: OptionName): string {
    const { fallback }: OptionSpec = ALL_OPTIONS[name];
    return this.optional(name) ?? fallback ?? '';
  }

  flag(name: OptionName): boolean {
    const flag = this.#flags[name];
    return typeof flag === 'boolean' ? flag : TRUE.has((this.optional(name) ?? '').toLowerCase());
  }

  /** `other`: a form that the caller knows, for people. */
  word<const T extends string>(name: OptionName, words: readonly [T, ...T[]], other?: string): T {
    const text = this.text(name).toLowerCase();
    const known = words.find((word) => word === text);
    if (known === undefined)
      this.#reject(name, `expected ${[...words, ...(other ? [other] : [])].join(', ')}`);
    return known ?? words[0];
  }

  /** In milliseconds; undefined if it is not set. */
  seconds(name: OptionName, least: number, most: number): number | undefined {
    return this.optional(name) === undefined ? undefined : this.integer(name, least, most) * 1000;
  }

  /** If a query may wait longer than the limit, everything would be locked between two answers. */
  maxAge(): MaxAge | undefined {
    const action = this.word('maxAgeAction', ['lock', 'drop-services']);
    const text = this.text('maxAge');
    if (text === 'none') return undefined;
    const least = Math.max(LEAST_AGE, 2 * (this.seconds('consulWait', 1, 600) ?? 0));
    const limit = parseDuration(text);
    if (limit !== undefined && limit >= least && limit <= MOST_AGE) return { limit, action };
    this.#reject(
      'maxAge',
      `expected a duration from ${least / 1000}s to 365d, such as 90s, 15m, 12h or 2d, or none`,
    );
    return undefined;
  }

  /** In seconds, from none to `most` hours. */
  upToHours(name: OptionName, most: number): number {
    const value = parseDuration(this.text(name));
    if (value !== undefined && value <= most * 3_600_000) return value / 1000;
    this.#reject(name, `expected a duration of at most ${most}h, such as 90s, 15m or 12h`);
    return 0;
  }

  /** The same for one that needs another of at least `least` seconds, unless it is 0. */
  upToHoursWith(name: OptionName, most: number, needed: OptionName, least: number): number {
    const seconds = this.upToHours(name, most);
    if (seconds > 0 && (parseDuration(this.text(needed)) ?? 0) < least * 1000)
      this.#reject(needed, `expected at least ${least}s with ${flagOf(name)}`);
    return seconds;
  }

  /** Two numbers with a comma between them. */
  pair(name: OptionName, most: number): readonly [number, number] {
    const [, first, second] = /^(\d{1,9}),(\d{1,9})$/.exec(this.text(name)) ?? [];
    const numbers = [Number(first ?? 0), Number(second ?? 0)] as const;
    if (!numbers.every((one) => one >= 1 && one <= most))
      this.#reject(name, `expected two whole numbers from 1 to ${most} with a comma between them`);
    return numbers;
  }

  integer(name: OptionName, least: number, most: number): number {
    const text = this.text(name);
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    this.#reject(name, `expected a whole number from ${least} to ${most}`);
    return least;
  }

  /**
   * `whole`: the folder for a flag without a value. A folder below the rules is rejected, because its keys would be
   * read as rules.
   */
  folder(name: OptionName, whole: string): string | undefined {
    const text = this.#flags[name] === true ? whole : this.optional(name);
    if (text === undefined) return undefined;
    const folder = folderOf(text);
    const rules = folderOf(this.text('kvPath'));
    if (folder === '/' || folder.startsWith(rules)) this.#reject(name, `expected a path outside of ${rules}`);
    return folder;
  }

  /** Neither folder may be in the other: its keys would be read in the wrong direction. */
  ingressPath(): string {
    const text = this.text('ingressPath');
    const [ingress, egress] = [folderOf(text), folderOf(this.text('kvPath'))];
    if (ingress === '/' || ingress.startsWith(egress) || egress.startsWith(ingress))
      this.#reject('ingressPath', `expected a path outside of ${egress}, which holds the ACL keys`);
    return text;
  }

  /** Lists of keys for the gate, which needs the shared folder. */
  keyLists(name: OptionName): readonly (readonly string[])[] {
    const lists = this.text(name).split(';').map(parseKeyList);
    const filled = lists.filter((keys) => keys.length > 0);
    if (filled.length > 0 && this.text('runDir') === 'none') {
      this.#reject(name, 'expected no keys if --run-dir is none');
    }
    return filled;
  }

  /** `9464`, `0.0.0.0:9464` or `[::1]:9464`. */
  endpoint(name: OptionName): HostAndPort | undefined {
    const text = this.optional(name);
    if (text === undefined) return undefined;
    const found = parsePlace(text);
    if (found === undefined) this.#reject(name, 'expected a port, or host:port');
    return found;
  }

  /** The same, or the path of a unix socket: `unix:/run/page.sock`. */
  endpointOrSocket(name: OptionName): Place {
    const text = this.text(name);
    const [, path] = /^unix:(\/.+)$/.exec(text) ?? [];
    const place = path ?? parsePlace(text);
    const found = typeof place === 'object' && place.port === 0 ? undefined : place;
    if (found === undefined) this.#reject(name, 'expected a port, host:port or unix:<path>');
    return found ?? '';
  }

  /** Undefined if it is not set. `port`: where none is given. */
  servers(name: OptionName, port: number): readonly Endpoint[] | undefined {
    const found = this.optional(name)
      ?.split(',')
      .map((one) => parseEndpoint(one.trim(), port));
    if (found?.includes(undefined))
      this.#reject(name, 'expected IP addresses, each with or without a port, separated by commas');
    return found?.filter((one) => one !== undefined);
  }

  /** The same for one. */
  server(name: OptionName, port: number): Endpoint | undefined {
    const text = this.optional(name);
    const found = text === undefined ? undefined : parseEndpoint(text, port);
    if (text !== undefined && found === undefined)
      this.#reject(name, 'expected one IP address, with or without a port');
    return found;
  }

  hostNames(name: OptionName): readonly string[] {
    const names = parseKeyList(this.text(name));
    if (!names.every((one) => /^[\w.-]+$/.test(one)))
      this.#reject(name, 'expected host names without ports, separated by commas');
    return names;
  }

  /** Names of devices; `all` for every one. */
  devices(name: OptionName): readonly string[] | 'all' {
    if (this.text(name) === 'all') return 'all';
    const names = parseKeyList(this.text(name));
    if (names.length === 0 || !names.every((one) => /^[\w.-]{1,15}$/.test(one)))
      this.#reject(name, 'expected names of devices separated by commas, or all');
    return names;
  }

  addresses(name: OptionName): readonly Prefix[] {
    if (this.text(name) === 'none') return [];
    return this.text(name)
      .split(',')
      .map((text) => text.trim())
      .flatMap((text) => {
        const address = parseAddress(text);
        if (address === undefined) this.#reject(name, 'expected IP addresses separated by commas');
        return address ?? [];
      });
  }

  finish(): void {
    const [first, ...others] = new Set(this.#problems);
    if (first !== undefined) throw new UsageError(first, ...others);
  }

  #reject(name: OptionName, expectation: string): void {
    const { variable }: OptionSpec = ALL_OPTIONS[name];
    const isFlag = typeof this.#flags[name] === 'string' || variable === undefined;
    const place = isFlag ? flagOf(name) : variable;
    this.#problems.push(`${place}: ${expectation}, not "${this.text(name)}"`);
  }
}

function parsePlace(text: string): HostAndPort | undefined {
  const match = /^(?:(?:\[([\da-f:]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3] ?? Number.NaN);
  return port <= 65_535 ? { host: match?.[1] ?? match?.[2] ?? '127.0.0.1', port } : undefined;
}

const flagOf = (name: OptionName): string => {
  const { flags }: OptionSpec = ALL_OPTIONS[name];
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
};

/** Without slashes before it, and with one behind it. */
const folderOf = (text: string): string => `${text.replace(/^\/+|\/+$/g, '')}/`;
