/**
 * The controller as a service in Consul, with a TTL check: whoever watches Consul sees on which hosts
 * a controller runs, and whether it is well.
 *
 * Needs `service "egresstrator" { policy = "write" }`. Without it the controller works all the same.
 */
import { z } from 'zod';
import { type ConsulOptions, type Settings, settingsOf } from './options.ts';
import { plainCall } from './plain-call.ts';

export interface Health {
  readonly status: 'passing' | 'warning';
  /** One line for people. */
  readonly output: string;
}

export interface Identity {
  /** The service's name. */
  readonly service: string;
  /** This host; with the name it is the id of the service. */
  readonly node: string;
  readonly version: string;
}

/** Seconds without a word after which Consul calls the controller critical. */
const TTL = 45;
/** A host that is gone for this long is forgotten. */
const FORGET = '72h';

export class Registration {
  readonly #settings: Settings;
  readonly #identity: Identity;
  readonly #id: string;
  #registered = false;

  constructor(options: ConsulOptions, identity: Identity) {
    this.#settings = settingsOf(options);
    this.#identity = identity;
    this.#id = `${identity.service}-${identity.node}`;
  }

  /** Says that the controller lives. An agent that forgot it (404) is told anew. */
  async beat(health: Health): Promise<void> {
    if (!this.#registered) await this.#register(health);
    const path = `/v1/agent/check/update/${encodeURIComponent(`service:${this.#id}`)}`;
    const body = JSON.stringify({ Status: health.status, Output: health.output });
    const known = await plainCall(this.#settings, {
      method: 'PUT',
      path,
      body,
      what: 'a heartbeat',
    }).catch((error: unknown) => {
      // Consul before 1.13 answers 500 for a check that it does not know.
      this.#registered = false;
      throw error;
    });
    this.#registered = known !== undefined;
  }

  async close(): Promise<void> {
    if (!this.#registered) return;
    const path = `/v1/agent/service/deregister/${encodeURIComponent(this.#id)}`;
    await plainCall(this.#settings, { method: 'PUT', path, what: 'its deregistration' });
  }

  async #register({ status }: Health): Promise<void> {
    const { service, node, version } = this.#identity;
    const check = { TTL: `${TTL}s`, Status: status, DeregisterCriticalServiceAfter: FORGET };
    const body = JSON.stringify({ ID: this.#id, Name: service, Meta: { version, node }, Check: check });
    const call = {
      method: 'PUT',
      path: '/v1/agent/service/register',
      body,
      what: 'its registration',
    } as const;
    await plainCall(this.#settings, call);
    this.#registered = true;
  }
}

const Entries = z.array(z.object({ Key: z.string(), Value: z.string().nullable() }));

/**
 * What the hosts say of themselves, one key each below a folder of the KV store. Needs
 * `key_prefix "egress/status/" { policy = "write" }`, or "read" to read.
 */
export class StatusBoard {
  readonly #settings: Settings;
  readonly #folder: string;

  /** `folder` ends in a slash. */
  constructor(options: ConsulOptions, folder: string) {
    this.#settings = settingsOf(options);
    this.#folder = folder;
  }

  async write(node: string, text: string): Promise<void> {
    const path = `/v1/kv/${pathOf(this.#folder + node)}`;
    await plainCall(this.#settings, {
      method: 'PUT',
      path,
      body: text,
      what: `the key ${this.#folder}${node}`,
    });
  }

  /** Node → text. */
  async read(): Promise<ReadonlyMap<string, string>> {
    const call = {
      method: 'GET',
      path: `/v1/kv/${pathOf(this.#folder)}?recurse`,
      what: `the keys below ${this.#folder}`,
    } as const;
    const body = await plainCall(this.#settings, call);
    const entries = Entries.parse(JSON.parse(body ?? '[]'));
    return new Map(
      entries.map(({ Key, Value }) => [
        Key.slice(this.#folder.length),
        Buffer.from(Value ?? '', 'base64').toString('utf8'),
      ]),
    );
  }
}

const pathOf = (key: string): string => key.split('/').map(encodeURIComponent).join('/');
