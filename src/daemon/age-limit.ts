/**
 * `--max-age`: rules and services that Consul has not confirmed for this time grant nothing until it does.
 *
 * Rules are confirmed each few seconds, so they are outdated when their last confirmation is. The query of a service
 * may wait for ten minutes, so a service is outdated only while its query also fails, or if it was not answered since
 * the start. After the start, sources have a moment to answer before the data of the previous run counts as outdated.
 *
 * A failing source does not call back, so the ages are checked by a timer.
 */
import { type Age, type Ages, ALL_FRESH } from '../inventory/ages.ts';
import { INGRESS_KEYS } from './consul-cache.ts';
import type { Freshness } from './freshness.ts';

export interface MaxAge {
  /** Milliseconds. */
  readonly limit: number;
  /**
   * `lock`: rules and services that are too old grant nothing. `drop-services`: only services that are too old grant
   * nothing.
   */
  readonly action: 'lock' | 'drop-services';
}

export interface AgeLimitOptions {
  readonly maxAge: MaxAge;
  /** Milliseconds for which a source may take its first answer. */
  readonly grace: number;
  readonly now: () => number;
  readonly freshness: () => readonly Freshness[];
  /** Called when something becomes too old, or is confirmed again. */
  readonly onChange: () => void;
}

/** Milliseconds between two checks of all ages. */
const INTERVAL = 250;

export class AgeLimit {
  readonly #options: AgeLimitOptions;
  readonly #timer: NodeJS.Timeout;
  #seen = ALL_FRESH;

  constructor(options: AgeLimitOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      if (!isSame(this.#seen, this.#assess())) options.onChange();
    }, INTERVAL);
  }

  /** All present ages; `onChange` is called when they change. */
  ages(): Ages {
    this.#seen = this.#assess();
    return this.#seen;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #assess(): Ages {
    const { maxAge, grace, now, freshness } = this.#options;
    return agesOf(freshness(), { ...maxAge, grace, now: now() });
  }
}

interface At extends MaxAge {
  readonly grace: number;
  readonly now: number;
}

const SERVICE = 'service ';

function agesOf(sources: readonly Freshness[], at: At): Ages {
  const services = sources.flatMap((one) => {
    const age = one.name.startsWith(SERVICE) && !isLive(one) ? ageOf(one, at) : 'fresh';
    return age === 'fresh' ? [] : [[one.name.slice(SERVICE.length), age] as const];
  });
  const ageOfKeys = (name: string): Age => {
    const keys = at.action === 'lock' ? sources.find((one) => one.name === name) : undefined;
    return keys === undefined ? 'fresh' : ageOf(keys, at);
  };
  return { rules: ageOfKeys('rules'), ingress: ageOfKeys(INGRESS_KEYS), services: new Map(services) };
}

const isLive = ({ known, error }: Freshness): boolean => known && error === undefined;

function ageOf({ known, error, confirmedAt, since }: Freshness, { limit, grace, now }: At): Age {
  if (confirmedAt !== undefined && now - confirmedAt <= limit) return 'fresh';
  return !known && error === undefined && now - since < grace ? 'awaited' : 'outdated';
}

const isSame = (one: Ages, other: Ages): boolean =>
  one.rules === other.rules &&
  one.ingress === other.ingress &&
  one.services.size === other.services.size &&
  [...one.services].every(([name, age]) => other.services.get(name) === age);
