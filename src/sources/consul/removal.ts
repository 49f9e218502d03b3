/**
 * Takes out of Consul what egresstrator put there, or what was put there for it: single keys, the whole folder
 * of the rules, and the registration of a controller that is gone.
 */
import { z } from 'zod';
import { ConsulClient } from './client.ts';
import { type ConsulOptions, settingsOf } from './options.ts';
import { parseJson } from './parse.ts';
import { deregister } from './registration.ts';

export class Removal {
  readonly #client: ConsulClient;

  constructor(options: ConsulOptions) {
    this.#client = new ConsulClient(settingsOf(options));
  }

  /** How many keys there are: one by its name, a folder by its slash. */
  async countKeys(name: string): Promise<number> {
    const what = `the key ${name}`;
    const { status, body } = await this.#client.send({ what, accept: [404] }, ({ kv }, common) =>
      kv.keys({ ...common, key: name }),
    );
    const keys = status === 404 ? [] : parseJson(z.array(z.string()), body, what);
    return keys.filter((key) => name.endsWith('/') || key === name).length;
  }

  async removeKeys(name: string): Promise<void> {
    await this.#client.send({ what: `the removal of ${name}` }, ({ kv }, common) =>
      kv.del({ ...common, key: name, recurse: name.endsWith('/') }),
    );
  }

  /** Whether the agent that answers has a service of this id. */
  async isRegistered(id: string): Promise<boolean> {
    const call = { what: `the service ${id}`, accept: [404] };
    const path = `/agent/service/${encodeURIComponent(id)}`;
    const { status } = await this.#client.send(call, (consul, { token, ctx, timeout }) =>
      consul._get({ path, headers: token === undefined ? {} : { 'x-consul-token': token }, ctx, timeout }),
    );
    return status === 200;
  }

  deregister(id: string): Promise<void> {
    return deregister(this.#client, id);
  }
}
