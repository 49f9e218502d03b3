/**
 * Proxies that fail on demand: a byte relay for TCP and unix sockets that stalls, cuts or delays connections,
 * and a stub in front of Consul that fails requests or filters answers.
 */
import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface RelayOptions {
  readonly to: NetConnectOpts;
  /** The unix socket to listen at; default: a free TCP port of loopback. */
  readonly at?: string;
}

export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #to: NetConnectOpts;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #stalled = false;
  #cut = false;
  #delay = 0;

  constructor(to: NetConnectOpts) {
    this.#to = to;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#join(client));
  }

  static async open({ to, at }: RelayOptions): Promise<Relay> {
    const relay = new Relay(to);
    await once(
      at === undefined ? relay.#server.listen(0, '127.0.0.1') : relay.#server.listen(at),
      'listening',
    );
    return relay;
  }

  /** `127.0.0.1:4711`; only for TCP. */
  get address(): string {
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('this relay has no port');
    return `127.0.0.1:${bound.port}`;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Nothing comes through, and nothing ends: as a network that drops all packets. */
  stall(): void {
    this.#stalled = true;
    for (const socket of [...this.#pairs].flat()) socket.pause();
  }

  /** Ends all connections; `again`: new ones come through, else they end at once too. */
  cut({ again = false } = {}): void {
    this.#cut = !again;
    for (const socket of [...this.#pairs].flat()) socket.destroy();
  }

  /** Everything comes through this many milliseconds late. */
  slow(milliseconds: number): void {
    this.#delay = milliseconds;
  }

  heal(): void {
    this.#stalled = false;
    this.#cut = false;
    this.#delay = 0;
    for (const socket of [...this.#pairs].flat()) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    if (this.#cut) {
      client.on('error', () => {}).destroy();
      return;
    }
    const far = connect({ ...this.#to, allowHalfOpen: true });
    const pair = [client, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, client] as const]) {
      from.on('data', (chunk: Buffer) => this.#later(() => to.write(chunk)));
      from.on('end', () => this.#later(() => to.end()));
      from.on('error', () => {});
      from.on('close', () => {
        this.#pairs.delete(pair);
        this.#later(() => to.destroy());
      });
    }
    if (this.#stalled) for (const socket of pair) socket.pause();
  }

  #later(work: () => void): void {
    if (this.#delay === 0) work();
    else setTimeout(work, this.#delay);
  }
}

/** What a `ConsulStub` does with a request: passes it on, fails it, or hides what it would tell. */
export type Treatment = 'pass' | 'fail' | 'filter';

/** Consul, but for single answers: those that no Consul of the lab can be made to give. */
export class ConsulStub implements AsyncDisposable {
  readonly #server = createHttpServer((incoming, outgoing) => void this.#answer(incoming, outgoing));
  readonly #consul: string;
  #treatment: (path: string) => Treatment = () => 'pass';

  constructor(consul: string) {
    this.#consul = consul;
  }

  static async open(consul: string): Promise<ConsulStub> {
    const stub = new ConsulStub(consul);
    await once(stub.#server.listen(0, '127.0.0.1'), 'listening');
    return stub;
  }

  get address(): string {
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('this stub has no port');
    return `127.0.0.1:${bound.port}`;
  }

  /** From now on, for queries in flight too: they end without an answer. */
  treat(treatment: (path: string) => Treatment): void {
    this.#treatment = treatment;
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url ?? '/';
    const treatment = this.#treatment(path);
    if (treatment === 'fail') return void outgoing.writeHead(500).end('rpc error: made up by a test');
    const call = request(new URL(path, this.#consul), { method: incoming.method, headers: incoming.headers });
    outgoing.on('close', () => call.destroy());
    call.on('error', () => outgoing.destroy());
    call.on('response', (response) => {
      const hides = treatment === 'filter' ? { 'x-consul-results-filtered-by-acls': 'true' } : {};
      outgoing.writeHead(response.statusCode ?? 500, { ...response.headers, ...hides });
      response.on('error', () => outgoing.destroy());
      response.pipe(outgoing);
    });
    call.end(await buffer(incoming).catch(() => ''));
  }
}
