/**
 * The floor: the same blocking queries with the same waits, one after the other by plain HTTP. Answers are not
 * checked or parsed, queries are not paced, and a failed one is repeated after a second.
 */
import { Agent, get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const waits = { rules: 15, services: 45 } as const;

export interface BareQueries {
  readonly folder: string;
  readonly lastKey: string;
  readonly services: readonly string[];
}

export class BareWatches {
  readonly #address: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #unread = new Set<string>();
  readonly #lastKey: string;
  /** As Consul sent it. */
  #rules: Buffer = Buffer.from('[]');
  #isClosed = false;

  constructor(address: string, { folder, lastKey, services }: BareQueries) {
    this.#address = address;
    this.#lastKey = `${folder}${lastKey}`;
    void this.#watch(`/v1/kv/${folder}?recurse`, waits.rules, (body) => {
      this.#rules = body;
    });
    for (const service of services) void this.#watch(`/v1/catalog/service/${service}?`, waits.services);
  }

  get isUpToDate(): boolean {
    return this.#unread.size === 0;
  }

  hasText(beginning: string): boolean {
    const entries: readonly { readonly Key: string; readonly Value: string }[] = JSON.parse(`${this.#rules}`);
    const value = entries.find(({ Key }) => Key === this.#lastKey)?.Value ?? '';
    return Buffer.from(value, 'base64').toString('utf8').startsWith(beginning);
  }

  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }

  /** `wait` in seconds. */
  async #watch(path: string, wait: number, take: (body: Buffer) => void = () => {}): Promise<void> {
    this.#unread.add(path);
    let index = '0';
    while (!this.#isClosed) {
      try {
        const answer = await this.#read(`${path}&stale&wait=${wait}s&index=${index}`);
        index = answer.index;
        take(answer.body);
        this.#unread.delete(path);
      } catch {
        index = '0';
        this.#unread.add(path);
        await sleep(1_000);
      }
    }
  }

  #read(path: string): Promise<{ readonly index: string; readonly body: Buffer }> {
    return new Promise((resolve, reject) => {
      const request = get(`http://${this.#address}${path}`, { agent: this.#agent }, (answer) => {
        const index = answer.headers['x-consul-index'];
        const take = (body: Buffer<ArrayBuffer>) => {
          if (answer.statusCode === 200 && typeof index === 'string') resolve({ index, body });
          else reject(new Error(`status ${answer.statusCode}`));
        };
        buffer(answer).then(take, reject);
      });
      request.on('error', reject);
    });
  }
}
