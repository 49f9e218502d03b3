/**
 * Removes the data of egresstrator from Consul: single keys, the folder of the rules, and the registration of a
 * controller.
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

  /** Counts keys: one by its name, or all below a folder, whose name ends in a slash. */
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

  /** True if the agent has a service with this id. */
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
