/**
 * Consul as the controller's source of rules and services.
 */

import { ConsulError } from '../../common/errors.ts';
import type { Instance, ServiceRef } from '../../inventory/service.ts';
import type { RuleSource, Watched } from '../../inventory/sources.ts';
import { BlockingQuery, type BlockingQueryOptions } from './blocking-query.ts';
import { Bells } from './catalog-watch.ts';
import { ConsulClient } from './client.ts';
import { type ConsulOptions, settingsOf } from './options.ts';
import { parsedInstances, parsedRules, type Rules } from './parse.ts';
import { type Question, rulesQuestion, serviceQuestion, tableQuestion } from './query.ts';
import { Crowd, type Limits } from './query-scheduler.ts';
import { Outage } from './reconnect-coordinator.ts';
import { Canary } from './source-health.ts';

/** What tests change; the defaults are those of the parts. */
export type Tuning = Omit<BlockingQueryOptions, 'wait' | 'onClose' | 'former' | 'outage' | 'isUrgent'>;

/**
 * How long a service that a Consul without history does not know is kept: agents register theirs again
 * at the next anti-entropy run, after one minute in a small cluster and a few in a big one.
 */
const servicePatience = 10 * 60_000;

export class ConsulRuleSource implements RuleSource {
  readonly #client: ConsulClient;
  readonly #tuning: Tuning;
  readonly #crowd: Crowd;
  readonly #bells: Bells;
  readonly #outage: Outage;
  readonly #canary: Canary;
  readonly #watches = new Set<Watched<unknown>>();
  readonly #closing = new AbortController();

  /** Throws a `ConsulError` on options that cannot work; Consul itself is not asked yet. */
  constructor(options: ConsulOptions, tuning: Tuning = {}) {
    this.#client = new ConsulClient(settingsOf(options));
    this.#tuning = tuning;
    this.#crowd = this.#gather();
    this.#bells = this.#castBells();
    this.#outage = new Outage(tuning);
    this.#canary = this.#cage();
  }

  /** Ends within twice the timeout. */
  readRules(): Promise<Rules> {
    return this.#readOnce(rulesQuestion(this.#client));
  }

  /** Ends within twice the timeout. */
  readService(ref: ServiceRef): Promise<readonly Instance[]> {
    return this.#readOnce(this.#crowd.admit(serviceQuestion(this.#client, ref)));
  }

  /** `former`: what a former run knew, see `BlockingQueryOptions`. */
  watchRules(onChange: () => void, former?: Rules): Watched<Rules> {
    const { waits, kvPath } = this.#client.settings;
    const known = former && parsedRules(former, kvPath);
    const onClose = this.#canary.join();
    const options = { wait: () => waits.rules, former: known, isUrgent: true, onClose };
    return this.#watch(this.#canary.listen(rulesQuestion(this.#client)), onChange, options);
  }

  /** `former`: what a former run knew, see `BlockingQueryOptions`. */
  watchService(
    ref: ServiceRef,
    onChange: () => void,
    former?: readonly Instance[],
  ): Watched<readonly Instance[]> {
    const place = ref.datacenter ?? this.#client.settings.datacenter;
    const leave = this.#crowd.join(place);
    const question = this.#crowd.admit(serviceQuestion(this.#client, ref), place);
    const watched = this.#watch(this.#canary.guard(question), onChange, {
      wait: () => this.#crowd.wait(this.#limits(ref)),
      patience: servicePatience,
      former: former && parsedInstances(former),
      onClose: () => {
        leave();
        this.#hangBells();
      },
    });
    this.#hangBells();
    return watched;
  }

  /** Ends all watches and reads, and their connections; the process may exit. */
  close(): void {
    this.#closing.abort(new ConsulError('Consul is no longer asked: the source was closed.'));
    for (const watch of this.#watches) watch.close();
    this.#client.close();
  }

  /** Longer waits only where the rules would tell of a loss: not across datacenters. */
  #limits({ datacenter }: ServiceRef): Limits {
    const { waits, datacenter: own } = this.#client.settings;
    const isNear = datacenter === undefined || datacenter === own;
    return {
      few: waits.services,
      many: isNear && this.#canary.isSinging ? waits.manyServices : waits.services,
    };
  }

  #hangBells(): void {
    if (!this.#closing.signal.aborted) this.#bells.follow(this.#crowd.crowded);
  }

  #castBells(): Bells {
    const { waits, health } = this.#client.settings;
    const wait = () => waits.services;
    return new Bells({
      tables: health === 'passing' ? ['services', 'nodes', 'checks'] : ['services', 'nodes'],
      watch: (table, place, onMove) => {
        const question = this.#canary.guard(tableQuestion(this.#client, table, place));
        return this.#watch(question, onMove, { wait });
      },
      ring: (place) => this.#crowd.ring(place),
    });
  }

  #gather(): Crowd {
    const { clock, backoff } = this.#tuning;
    return new Crowd(this.#client.settings.maxConnections, {
      isAttended: () => this.#bells.areHung,
      ...(clock && { clock }),
      ...(backoff?.random && { random: backoff.random }),
    });
  }

  #cage(): Canary {
    const { timeout, waits } = this.#client.settings;
    const { clock, backoff } = this.#tuning;
    return new Canary({
      place: () => this.#outage.place(),
      // Less than one timeout: the second try in a row that is not answered counts.
      patience: timeout / 2,
      short: Math.min(45_000, waits.services),
      ...(clock && { clock }),
      ...(backoff?.random && { random: backoff.random }),
    });
  }

  #watch<T>(question: Question<T>, onChange: () => void, options: BlockingQueryOptions): Watched<T> {
    this.#closing.signal.throwIfAborted();
    const onClose = () => {
      this.#watches.delete(query);
      options.onClose?.();
    };
    const shared = { outage: this.#outage, onClose };
    const query = new BlockingQuery(question, onChange, { ...options, ...this.#tuning, ...shared });
    this.#watches.add(query);
    return query;
  }

  async #readOnce<T>(question: Question<T>): Promise<T> {
    const { timeout, endpoint } = this.#client.settings;
    const late = AbortSignal.timeout(2 * timeout);
    const signal = AbortSignal.any([this.#closing.signal, late]);
    try {
      const answer = await question.ask({ kind: 'consistent' }, signal);
      await question.checkRights(answer, [], signal);
      return answer.value;
    } catch (error) {
      if (this.#closing.signal.aborted || !late.aborted) throw error;
      throw new ConsulError(
        `Consul at ${endpoint.label} did not answer in time, asked for ${question.name}: see whether it hangs.`,
        { cause: error },
      );
    }
  }
}
