/**
 * A proxy between a program and a Consul agent that counts connections, requests with their times, and bytes.
 * Each meter connects to the agent from its own address, as hosts do, so that Consul's limits
 * per client apply to each. It supports only HTTP without TLS and without pipelining.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface MeterOptions {
  /** `http://127.0.0.21:4711` */
  readonly to: string;
  /** The address that the agent sees, as `127.2.0.1`. */
  readonly from: string;
}

export interface Count {
  readonly requests: number;
  /** Both ways, with HTTP's headers, without those of TCP and IP. */
  readonly bytes: number;
}

export class Meter implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: MeterOptions;
  readonly #sockets = new Set<Socket>();
  /** When each request came, in ms as `performance.now()` tells them. */
  readonly requests: number[] = [];
  #bytes = 0;

  constructor(options: MeterOptions) {
    this.#options = options;
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(options: MeterOptions): Promise<Meter> {
    const meter = new Meter(options);
    await once(meter.#server.listen(0, '127.0.0.1'), 'listening');
    return meter;
  }

  /** `127.0.0.1:4711` */
  get address(): string {
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('this meter has no port');
    return `127.0.0.1:${bound.port}`;
  }

  /** That the program has open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  get count(): Count {
    return { requests: this.requests.length, bytes: this.#bytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const { hostname: host, port } = new URL(this.#options.to);
    const agent = connect({ host, port: Number(port), localAddress: this.#options.from });
    this.#sockets.add(client);
    client.on('data', (chunk: Buffer) => {
      // The client sends its next request only after an answer, so each begins a chunk.
      if (/^(GET|PUT|POST) /.test(chunk.toString('latin1', 0, 5))) this.requests.push(performance.now());
      this.#bytes += chunk.length;
    });
    agent.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
    });
    for (const [one, other] of [
      [client, agent],
      [agent, client],
    ] as const) {
      one.pipe(other);
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
    client.on('close', () => this.#sockets.delete(client));
  }
}

/** The most of `times`, in ms, that lie in any window of `width` ms. */
export function mostWithin(times: readonly number[], width: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  let [first, most] = [0, 0];
  for (const [last, time] of sorted.entries()) {
    while (time - (sorted[first] ?? time) >= width) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
