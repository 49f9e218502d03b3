/**
 * Runs inside a container's network namespace under the control of a test: it serves, connects, and keeps
 * flows open. To the kernel it is one of the container's own processes. It communicates over the channel of
 * `child_process`; the test's side is `probes.ts`.
 *
 * The process stays, so that one question takes a millisecond, and a test can see *when* rules change.
 */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type Socket } from 'node:net';

/** `refused`: an error came at once. `timeout`: nothing came. `unreachable`: no route, no neighbour. */
export type Outcome = 'ok' | 'refused' | 'timeout' | 'unreachable';

export interface Target {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
}

export interface Answer {
  readonly outcome: Outcome;
  readonly milliseconds: number;
  /** Of the error, like ECONNREFUSED. */
  readonly code: string | undefined;
}

/** What became of a flow that was kept going. */
export interface FlowState {
  readonly echoes: number;
  /** Milliseconds since the last echo. */
  readonly silentFor: number;
  readonly error: string | undefined;
}

export interface Operations {
  /** Echoes over TCP and UDP, both families, on each of these ports. */
  serve(ports: readonly number[]): Promise<void>;
  /** Answers every DNS question for an IPv4 address with this one. */
  serveNames(address: string): Promise<void>;
  /** Whether something is echoed from there. */
  reach(target: Target, patience: number): Promise<Answer>;
  /** Opens a flow that sends something every 10 ms from now on; returns its number. */
  keep(target: Target): Promise<number>;
  flow(number: number): Promise<FlowState>;
}

const BEAT = 10;
const GREETING = 'hello';
const REFUSED_CODES = ['ECONNREFUSED', 'EPERM', 'EACCES'];

const operations: Operations = {
  async serve(ports) {
    await Promise.all(ports.flatMap((port) => [serveStreams(port), serveDatagrams(port)]));
  },

  async serveNames(address) {
    const socket = createSocket('udp4');
    socket.on('message', (question, { port, address: asker }) => {
      socket.send(namesAnswer(question, address), port, asker, () => {});
    });
    await once(socket.bind(53), 'listening');
  },

  async reach(target, patience) {
    const from = performance.now();
    const [outcome, code] = await { tcp: reachStream, udp: reachDatagram }[target.protocol](target, patience);
    return { outcome, code, milliseconds: performance.now() - from };
  },

  async keep(target) {
    const flow = target.protocol === 'tcp' ? await keepStream(target) : await keepDatagrams(target);
    return flows.push(flow) - 1;
  },

  async flow(number) {
    const flow = flows[number];
    if (flow === undefined) throw new Error(`there is no flow ${number}`);
    return { echoes: flow.echoes, silentFor: performance.now() - flow.heardAt, error: flow.error };
  },
};

async function serveStreams(port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await once(server.listen(port, '::'), 'listening');
}

/** A socket for each family, as an answer must come from the address that was asked. */
async function serveDatagrams(port: number): Promise<void> {
  for (const type of ['udp4', 'udp6'] as const) {
    const socket = createSocket({ type, ...(type === 'udp6' ? { ipv6Only: true } : {}) });
    socket.on('message', (message, from) => socket.send(message, from.port, from.address, () => {}));
    socket.on('error', () => {});
    await once(socket.bind(port), 'listening');
  }
}

type Attempt = readonly [outcome: Outcome, code: string | undefined];

function reachStream({ address, port }: Target, patience: number): Promise<Attempt> {
  const socket = connect({ host: address, port });
  socket.write(GREETING);
  const outcome = firstOf(socket, 'data', patience);
  return outcome.finally(() => socket.destroy());
}

async function reachDatagram({ address, port }: Target, patience: number): Promise<Attempt> {
  const socket = datagrams(address);
  // On a socket that is connected, answers of ICMP are errors, as with TCP.
  const outcome = firstOf(socket, 'message', patience);
  let resend: NodeJS.Timeout | undefined;
  socket.once('connect', () => {
    const send = () => socket.send(GREETING, (error) => error && socket.emit('error', error));
    send();
    resend = setInterval(send, 250);
  });
  socket.connect(port, address);
  return outcome.finally(() => {
    clearInterval(resend);
    socket.removeAllListeners().on('error', () => {});
    socket.close();
  });
}

function firstOf(socket: Socket | Datagrams, event: 'data' | 'message', patience: number): Promise<Attempt> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(['timeout', undefined]), patience);
    const end = (outcome: Attempt) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    socket.on(event, () => end(['ok', undefined]));
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
      end([REFUSED_CODES.includes(code) ? 'refused' : 'unreachable', code]),
    );
  });
}

interface Flow {
  echoes: number;
  heardAt: number;
  error: string | undefined;
}

const flows: Flow[] = [];

async function keepStream({ address, port }: Target): Promise<Flow> {
  const socket = connect({ host: address, port });
  await once(socket, 'connect');
  const flow = newFlow(() => socket.write(GREETING));
  socket.on('data', () => onEcho(flow));
  socket.on('error', ({ code }: NodeJS.ErrnoException) => fail(flow, code));
  socket.on('close', () => fail(flow, 'closed'));
  return flow;
}

async function keepDatagrams({ address, port }: Target): Promise<Flow> {
  const socket = datagrams(address);
  const connected = once(socket, 'connect');
  socket.connect(port, address);
  await connected;
  const flow = newFlow(() => socket.send(GREETING, (error) => error && fail(flow, codeOf(error))));
  socket.on('message', () => onEcho(flow));
  socket.on('error', ({ code }: NodeJS.ErrnoException) => fail(flow, code));
  return flow;
}

function newFlow(send: () => void): Flow {
  const flow: Flow = { echoes: 0, heardAt: performance.now(), error: undefined };
  setInterval(send, BEAT);
  return flow;
}

function onEcho(flow: Flow): void {
  flow.echoes += 1;
  flow.heardAt = performance.now();
}

function fail(flow: Flow, code: string | undefined): void {
  flow.error ??= code ?? 'unknown';
}

const codeOf = (error: Error): string | undefined =>
  'code' in error && typeof error.code === 'string' ? error.code : undefined;

const datagrams = (address: string): Datagrams => createSocket(isIPv6(address) ? 'udp6' : 'udp4');

/** The question again, with an A record where one was asked for and nothing else. */
function namesAnswer(question: Buffer, address: string): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const wantsIpv4 = question.readUInt16BE(end - 4) === 1;
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8580, 2);
  header.writeUInt16BE(wantsIpv4 ? 1 : 0, 6);
  header.fill(0, 8);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split('.').map(Number)]);
  return Buffer.concat([header, question.subarray(12, end), ...(wantsIpv4 ? [record] : [])]);
}

interface Call {
  readonly id: number;
  readonly name: keyof Operations;
  readonly args: never[];
}

process.on('message', async ({ id, name, args }: Call) => {
  const operation: (...words: never[]) => Promise<unknown> = operations[name];
  try {
    process.send?.({ id, result: await operation(...args) });
  } catch (error) {
    process.send?.({ id, error: String(error) });
  }
});
// The test that started this process is gone.
process.on('disconnect', () => process.exit());
