/**
 * Takes out of Consul what egresstrator put there, or was put there for it: single keys, the whole folder of the
 * rules, and the registration of a controller that is gone.
 */
import { type ConsulOptions, settingsOf } from './options.ts';
import { type PlainCall, plainCall } from './plain-call.ts';

export class Removal {
  readonly #call: (call: PlainCall) => Promise<string | undefined>;

  constructor(options: ConsulOptions) {
    const settings = settingsOf(options);
    this.#call = (call) => plainCall(settings, call);
  }

  /** How many keys there are: one by its name, a folder by its slash. */
  async countKeys(name: string): Promise<number> {
    const suffix = name.endsWith('/') ? '?keys' : '';
    const call = { method: 'GET', path: `${kvPath(name)}${suffix}`, what: `the key ${name}` } as const;
    const body = await this.#call(call);
    if (body === undefined) return 0;
    const listed: unknown = suffix === '' ? [name] : JSON.parse(body);
    return Array.isArray(listed) ? listed.length : 0;
  }

  async removeKeys(name: string): Promise<void> {
    const suffix = name.endsWith('/') ? '?recurse' : '';
    const call = { method: 'DELETE', what: `the removal of ${name}` } as const;
    await this.#call({ ...call, path: `${kvPath(name)}${suffix}` });
  }

  /** Whether the agent that answers has a service of this id. */
  async isRegistered(id: string): Promise<boolean> {
    const call = { method: 'GET', what: `the service ${id}` } as const;
    return (await this.#call({ ...call, path: `/v1/agent/service/${encodeURIComponent(id)}` })) !== undefined;
  }

  async deregister(id: string): Promise<void> {
    const call = { method: 'PUT', what: `the deregistration of ${id}` } as const;
    await this.#call({ ...call, path: `/v1/agent/service/deregister/${encodeURIComponent(id)}` });
  }
}

const kvPath = (name: string): string => `/v1/kv/${name.split('/').map(encodeURIComponent).join('/')}`;
