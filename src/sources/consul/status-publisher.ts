/**
 * Publishes the status of hosts, one key for each, below a folder of the KV store. Needs `key_prefix "egress/status/"
 * { policy = "write" }`, or "read" to read.
 */
import { ConsulClient } from './client.ts';
import { type ConsulOptions, settingsOf } from './options.ts';
import { parseRules } from './parse.ts';

export class StatusPublisher {
  readonly #client: ConsulClient;
  readonly #folder: string;

  /** `folder` ends in a slash. */
  constructor(options: ConsulOptions, folder: string) {
    this.#client = new ConsulClient(settingsOf(options));
    this.#folder = folder;
  }

  async write(node: string, value: string): Promise<void> {
    const key = `${this.#folder}${node}`;
    await this.#client.send({ what: `the key ${key}` }, ({ kv }, common) =>
      kv.set({ ...common, key, value }),
    );
  }

  /** Node → text. */
  async read(): Promise<ReadonlyMap<string, string>> {
    const key = this.#folder;
    const { status, body } = await this.#client.send({ what: `the keys below ${key}` }, ({ kv }, common) =>
      kv.get({ ...common, key, recurse: true }),
    );
    return status === 404 ? new Map() : parseRules(body, key).value;
  }

  close(): void {
    this.#client.close();
  }
}
