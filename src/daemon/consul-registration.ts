/**
 * Registers the controller in Consul and sends heartbeats with the status of its host.
 *
 * Nothing depends on it: a failure is logged once and retried at the next heartbeat.
 */

import { version } from '../common/assets.ts';
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Config } from '../config/config.ts';
import { type Health, Registration } from '../sources/consul/registration.ts';
import { StatusPublisher } from '../sources/consul/status-publisher.ts';
import { hostStatusOf } from './host-status.ts';
import { type Status, unsupportedNames } from './status.ts';

/** Milliseconds. */
export interface HeartbeatTiming {
  /** Until the first heartbeat, so that there is a status. */
  readonly first: number;
  /** Between two heartbeats; Consul waits for four of them. */
  readonly interval: number;
  /** After which an unchanged status is written again, so that its age is meaningful. */
  readonly repeat: number;
}

const TIMING: HeartbeatTiming = { first: 2_000, interval: 10_000, repeat: 60_000 };

export type RegistrationConfig = Pick<Config, 'consul' | 'register' | 'publish' | 'node'>;

export class ConsulRegistration {
  readonly #registration: Registration | undefined;
  readonly #publisher: StatusPublisher | undefined;
  readonly #node: string;
  readonly #status: () => Status;
  readonly #log: Logger;
  readonly #repeat: number;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #first: NodeJS.Timeout | undefined;
  readonly #failing = new Set<string>();
  #written = { text: '', at: 0 };
  #sending: Promise<void> | undefined;

  constructor(
    config: RegistrationConfig,
    status: () => Status,
    log: Logger,
    timing: HeartbeatTiming = TIMING,
  ) {
    const { consul, register, publish, node } = config;
    const identity = { service: register ?? '', node, version: version() };
    this.#registration = register === undefined ? undefined : new Registration(consul, identity);
    this.#publisher = publish === undefined ? undefined : new StatusPublisher(consul, publish);
    this.#node = node;
    this.#status = status;
    this.#log = log;
    this.#repeat = timing.repeat;
    if (this.#registration === undefined && this.#publisher === undefined) return;
    this.#timer = setInterval(() => this.#heartbeat(), timing.interval);
    this.#first = setTimeout(() => this.#heartbeat(), timing.first);
  }

  /** Removes the service, and writes a last status. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#first);
    await this.#sending;
    await this.#attempt('deregister', async () => this.#registration?.close());
    await this.#attempt('publish', () => this.#publish(false));
    this.#publisher?.close();
  }

  /** There is one heartbeat at a time. */
  #heartbeat(): void {
    this.#sending ??= this.#sendHeartbeat().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendHeartbeat(): Promise<void> {
    await this.#attempt('register', async () => this.#registration?.heartbeat(healthOf(this.#status())));
    await this.#attempt('publish', () => this.#publish(true));
  }

  async #publish(running: boolean): Promise<void> {
    if (this.#publisher === undefined) return;
    const now = Date.now();
    const hostStatus = hostStatusOf(this.#status(), version(), now, running);
    const text = JSON.stringify({ ...hostStatus, at: 0 });
    if (text === this.#written.text && now - this.#written.at < this.#repeat) return;
    await this.#publisher.write(this.#node, JSON.stringify(hostStatus));
    this.#written = { text, at: now };
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (this.#failing.delete(what)) this.#log.info({ what }, 'publishing status to Consul works again');
    } catch (error) {
      if (this.#failing.has(what)) return;
      this.#failing.add(what);
      this.#log.warn(
        { what, error: messageOf(error) },
        'cannot publish status to Consul; rules are not affected',
      );
    }
  }
}

function healthOf({ namespaces, ingress = [], sources, ...rest }: Status): Health {
  const all = [...namespaces, ...ingress];
  const { size } = new Set(all.map(({ id }) => id));
  const failed = new Set(all.flatMap(({ id, state }) => (state === 'failed' ? [id] : []))).size;
  const stale = sources.filter(({ error, outdated }) => error !== undefined || outdated).length;
  const unsupported = unsupportedNames(rest).size;
  const output = `${size} namespaces, ${failed} failed, ${unsupported} unsupported, ${stale} sources failing`;
  return { status: failed + stale + unsupported > 0 ? 'warning' : 'passing', output };
}
