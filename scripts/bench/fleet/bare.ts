/**
 * The floor: the same blocking queries with the same waits, one after the other by plain HTTP. Nothing is
 * checked, parsed, paced or read twice, and a failure is tried again after a second.
 */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const waits = { rules: 15, services: 45 } as const;

export class BareWatches {
  readonly #address: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #unread = new Set<string>();
  #isClosed = false;

  constructor(address: string, folder: string, services: readonly string[]) {
    this.#address = address;
    void this.#watch(`/v1/kv/${folder}?recurse`, waits.rules);
    for (const service of services) void this.#watch(`/v1/catalog/service/${service}?`, waits.services);
  }

  get isRight(): boolean {
    return this.#unread.size === 0;
  }

  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }

  /** `wait` in seconds. */
  async #watch(path: string, wait: number): Promise<void> {
    this.#unread.add(path);
    let index = '0';
    while (!this.#isClosed) {
      try {
        index = await this.#read(`${path}&stale&wait=${wait}s&index=${index}`);
        this.#unread.delete(path);
      } catch {
        this.#unread.add(path);
        await sleep(1_000);
      }
    }
  }

  /** The index. */
  #read(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = get(`http://${this.#address}${path}`, { agent: this.#agent }, (answer) => {
        answer.resume();
        answer.on('error', reject);
        answer.on('end', () => {
          const index = answer.headers['x-consul-index'];
          if (answer.statusCode === 200 && typeof index === 'string') resolve(index);
          else reject(new Error(`status ${answer.statusCode}`));
        });
      });
      request.on('error', reject);
    });
  }
}
