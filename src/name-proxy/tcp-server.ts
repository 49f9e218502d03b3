/**
 * Questions over TCP, to the servers of one namespace together.
 */
import type { Server } from 'node:net';
import type { QuestionHandler } from './question-handler.ts';
import { TcpConnection, type TcpLimits } from './tcp-connection.ts';

export class TcpServers {
  readonly #connections = new Set<TcpConnection>();
  readonly #limits: TcpLimits;
  readonly #handle: QuestionHandler;
  #dropped = 0;

  constructor(servers: readonly Server[], handle: QuestionHandler, limits: TcpLimits) {
    this.#limits = limits;
    this.#handle = handle;
    for (const server of servers) this.#serve(server);
  }

  /** Connections over the limit, which were closed at once. */
  get dropped(): number {
    return this.#dropped;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #serve(server: Server): void {
    // A workload may say that it asks no more, and wait for answers. What another process has opened lacks the option.
    Object.assign(server, { allowHalfOpen: true });
    server.maxConnections = this.#limits.connections;
    server.on('drop', () => this.#dropped++);
    server.on('connection', (socket) => {
      if (this.#connections.size >= this.#limits.connections) {
        this.#dropped++;
        socket.on('error', () => undefined);
        socket.destroy();
        return;
      }
      const connection = new TcpConnection(socket, this.#handle, this.#limits);
      this.#connections.add(connection);
      socket.on('close', () => this.#connections.delete(connection));
    });
  }
}
