/**
 * Runs inside a network namespace under the control of a test: it listens, connects, sends, and returns
 * the answers. It communicates over the channel of `child_process`.
 */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** Text results: `connected`, an answer, `silence`, or the code of an error such as ECONNREFUSED. */
export interface Operations {
  /** Echoes over TCP and UDP on all addresses, or on one of IPv4. */
  serve(port: number, host?: string): Promise<string>;
  /** Opens a TCP connection and keeps it under a name. */
  open(name: string, host: string, port: number): Promise<string>;
  /** Sends on the kept connection and waits for the echo. */
  talk(name: string): Promise<string>;
  /** Ends all kept connections. */
  close(): Promise<string>;
  /** Opens this many TCP connections, each of which sends and awaits the echo over and over. */
  busy(name: string, count: number, host: string, port: number): Promise<string>;
  /** Of each connection of that name: the echoes it has had by now, or the code of the error that ended it. */
  echoes(name: string): Promise<string>;
  /** Writes a word to all who are connected to this namespace's servers. */
  speak(): Promise<string>;
  /** One datagram from the local port `from`; waits for the echo. */
  ask(host: string, port: number, from: number): Promise<string>;
  /** The texts that came to this namespace's UDP servers since the last call. */
  received(): Promise<string>;
}

/**
 * How long no answer is silence: in all about as long as a first retransmission takes, in short pieces. A process that
 * the machine does not let run for a second has one piece of them behind it then, and not all its time.
 */
const PIECE_MS = 30;
const PIECES = 30;

const connections = new Map<string, Socket>();
const ends = new Map<Socket, string>();
const clients = new Set<Socket>();
const receivedTexts: string[] = [];
/** Of busy connections by their name: echoes, or an error's code. */
const progress = new Map<string, (number | string)[]>();

const operations: Operations = {
  async serve(port, host) {
    const tcp = createServer((socket) => {
      clients.add(socket);
      socket.on('close', () => clients.delete(socket));
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    tcp.listen(port, host ?? '::');
    await once(tcp, 'listening');
    await serveDatagrams('udp4', port, host);
    if (host === undefined) await serveDatagrams('udp6', port);
    return 'listening';
  },

  async open(name, host, port) {
    const socket = connect({ host, port });
    connections.set(name, socket);
    // It may end between two questions.
    socket.on('error', (error: NodeJS.ErrnoException) => ends.set(socket, error.code ?? error.message));
    return outcome(once(socket, 'connect').then(() => 'connected'));
  },

  async talk(name) {
    const socket = connections.get(name);
    if (socket === undefined) return 'no such connection';
    const end = ends.get(socket);
    if (end !== undefined) return end;
    const answer = once(socket, 'data').then(([data]) => String(data));
    socket.write('hello');
    return outcome(answer);
  },

  async close() {
    for (const socket of connections.values()) socket.destroy();
    connections.clear();
    return 'closed';
  },

  async busy(name, count, host, port) {
    const all = progress.get(name) ?? [];
    progress.set(name, all);
    const opened = Array.from({ length: count }, () => keepBusy(host, port, all, all.push(0) - 1));
    return outcome(Promise.all(opened).then(() => 'connected'));
  },

  async echoes(name) {
    return progress.get(name)?.join(' ') ?? '';
  },

  async speak() {
    for (const socket of clients) socket.write('word');
    return `to ${clients.size}`;
  },

  async ask(host, port, from) {
    const type = host.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, ...(type === 'udp6' ? { ipv6Only: true } : {}) });
    socket.bind(from);
    await once(socket, 'listening');
    try {
      return await outcome(exchange(socket, host, port));
    } finally {
      socket.close();
    }
  },

  async received() {
    return receivedTexts.splice(0).join(' ');
  },
};

/** Notes in `all[index]` how it goes. Resolves with the first echo. */
function keepBusy(host: string, port: number, all: (number | string)[], index: number): Promise<void> {
  const message = Buffer.alloc(1_000, 'busy');
  let [received, echoes] = [0, 0];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port, noDelay: true }, () => socket.write(message));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    all[index] = error.code ?? error.message;
    reject(error);
  });
  socket.on('data', ({ length }) => {
    received += length;
    if (received < message.length) return;
    received -= message.length;
    echoes += 1;
    all[index] = echoes;
    resolve();
    socket.write(message);
  });
  return promise;
}

async function serveDatagrams(type: 'udp4' | 'udp6', port: number, host?: string): Promise<void> {
  const socket = createSocket({ type, ...(type === 'udp6' ? { ipv6Only: true } : {}) });
  socket.on('message', (message, from) => {
    receivedTexts.push(String(message));
    socket.send(message, from.port, from.address, () => {});
  });
  socket.on('error', () => {});
  socket.bind(port, host);
  await once(socket, 'listening');
}

async function exchange(socket: Datagrams, host: string, port: number): Promise<string> {
  const answer = once(socket, 'message').then(([message]) => String(message));
  const sent = new Promise<void>((resolve, reject) => {
    socket.send('hello', port, host, (error) => (error === null ? resolve() : reject(error)));
  });
  return Promise.race([answer, sent.then(() => answer)]);
}

async function outcome(answer: Promise<string>): Promise<string> {
  return Promise.race([answer, silence()]).catch(
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
}

async function silence(): Promise<string> {
  for (let piece = 0; piece < PIECES; piece++) await setTimeout(PIECE_MS);
  return 'silence';
}

process.on('message', async ({ id, name, args }: { id: number; name: keyof Operations; args: never[] }) => {
  const operation: (...words: never[]) => Promise<string> = operations[name];
  process.send?.({ id, result: await operation(...args).catch(String) });
});
// The test that started this process is gone.
process.on('disconnect', () => process.exit());
