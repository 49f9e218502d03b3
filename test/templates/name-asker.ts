/**
 * Runs inside a network namespace, and asks names there as a workload does: by bytes, over UDP and TCP. It serves the
 * calls of `startAsker`, over the channel of `child_process`. All bytes are in hexadecimal digits.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** The last argument but one of a question: so many answers are awaited, or as many as come in so many milliseconds. */
export interface AskerOperations {
  /** From one socket. */
  udp(host: string, port: number, questions: readonly string[], wait: number): Promise<readonly string[]>;
  /** What comes back on a connection to which these pieces are written one after the other, until its end. */
  tcp(host: string, port: number, pieces: readonly string[]): Promise<string>;
  /** Sends as fast as it can, and reads nothing. */
  flood(host: string, port: number, question: string, milliseconds: number): Promise<string>;
  /** Answers each question that comes there over UDP with this address of IPv4. */
  answer(host: string, port: number, address: string): Promise<string>;
  /** Binds a port over UDP and TCP, and keeps it; port 0: any. The port, or the code of the error. */
  bind(host: string, port: number): Promise<string>;
  /** Asks each question, and connects to the address in its answer at once; in between it tries the others. */
  race(course: Course): Promise<RaceResult>;
}

export interface Course {
  /** Where questions are sent. */
  readonly resolver: string;
  readonly questions: readonly string[];
  /** Addresses that nobody has granted. */
  readonly others: readonly string[];
  /** Where it connects. */
  readonly port: number;
  /** Questions and connections at once. */
  readonly atOnce: number;
}

export interface RaceResult {
  readonly connected: number;
  /** Of questions: answers that said that they failed. They were asked again, as resolvers do. */
  readonly failed: number;
  /** What did not work in the end, by words. */
  readonly refused: readonly string[];
  /** Of `others`: those that were reached. */
  readonly reached: readonly string[];
}

/** Bytes of a question before and behind what an answer repeats. */
const [HEADER, EDNS] = [12, 11];
const toHex = (address: string): string => Buffer.from(address.split('.').map(Number)).toString('hex');

const operations: AskerOperations = {
  async udp(host, port, questions, wait) {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const answers: string[] = [];
    const { promise: done, resolve } = Promise.withResolvers<void>();
    socket.on('message', (message) => {
      answers.push(message.toString('hex'));
      if (answers.length === questions.length) resolve();
    });
    socket.on('error', () => resolve());
    for (const question of questions) socket.send(Buffer.from(question, 'hex'), port, host);
    const timer = setTimeout(resolve, wait);
    await done;
    clearTimeout(timer);
    socket.close();
    return answers;
  },

  async tcp(host, port, pieces) {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => chunks.push(chunk));
    await once(socket, 'connect');
    for (const piece of pieces) {
      socket.write(Buffer.from(piece, 'hex'));
      await new Promise(setImmediate);
    }
    socket.end();
    if (!socket.closed) await once(socket, 'close');
    return Buffer.concat(chunks).toString('hex');
  },

  async flood(host, port, question, milliseconds) {
    const socket = createSocket('udp4');
    const bytes = Buffer.from(question, 'hex');
    socket.connect(port, host);
    await once(socket, 'connect');
    let sent = 0;
    const end = Date.now() + milliseconds;
    while (Date.now() < end) {
      const { promise, resolve } = Promise.withResolvers<void>();
      for (let times = 0; times < 99; times++) socket.send(bytes);
      socket.send(bytes, () => resolve());
      sent += 100;
      await promise;
    }
    socket.close();
    return String(sent);
  },

  async answer(host, port, address) {
    const socket = createSocket('udp4');
    const record = Buffer.from(`c00c000100010000003c0004${toHex(address)}`, 'hex');
    socket.on('message', (question, from) => {
      const header = Buffer.concat([question.subarray(0, 2), Buffer.from('81800001000100000000', 'hex')]);
      const asked = question.subarray(HEADER, -EDNS);
      socket.send(Buffer.concat([header, asked, record]), from.port, from.address);
    });
    socket.bind(port, host);
    await once(socket, 'listening');
    return 'listening';
  },

  async bind(host, port) {
    const socket = createSocket('udp4');
    const server = createServer();
    try {
      socket.bind({ address: host, port, exclusive: true });
      await once(socket, 'listening');
      server.listen({ host, port: socket.address().port, exclusive: true });
      await once(server, 'listening');
      return String(socket.address().port);
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
  },

  race: (course) => race(course),
};

/** As resolvers do, it asks again after so many milliseconds, and so often. */
const AGAIN = 2_000;
const ATTEMPTS = 60;
/** Milliseconds for an address that nobody granted: while rules are loaded nobody tells that it is denied. */
const TRIED = 300;

async function ask(resolver: string, question: Buffer): Promise<Buffer | undefined> {
  const socket = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  socket.on('message', (message) => resolve(message));
  // Without an answer it asks again in any case.
  socket.on('error', () => undefined);
  socket.send(question, 53, resolver);
  const timer = setTimeout(resolve, AGAIN, undefined);
  const answer = await promise;
  clearTimeout(timer);
  socket.close();
  return answer;
}

/** The code of the error; undefined: it was connected. */
function tryToConnect(host: string, port: number, wait?: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect({ host, port });
  const timer = wait === undefined ? undefined : setTimeout(() => resolve('silence'), wait);
  socket.on('connect', () => resolve(undefined));
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.resetAndDestroy();
  });
}

async function race({ resolver, questions, others, port, atOnce }: Course): Promise<RaceResult> {
  const result = { connected: 0, failed: 0, refused: [] as string[], reached: [] as string[] };
  const one = async (question: Buffer, index: number): Promise<void> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const answer = await ask(resolver, question);
      if (answer !== undefined && answer.readUInt16BE(6) === 1) {
        const to = answer.subarray(-4).join('.');
        const error = await tryToConnect(to, port);
        if (error === undefined) result.connected++;
        else result.refused.push(`${index} ${to} ${error}`);
        return;
      }
      if (answer !== undefined) result.failed++;
    }
    result.refused.push(`${index} has no answer`);
  };
  const waiting = questions.map((question) => Buffer.from(question, 'hex')).entries();
  const work = async (): Promise<void> => {
    for (const [index, question] of waiting) await one(question, index);
  };
  let isRunning = true;
  const trying = (async () => {
    for (let at = 0; isRunning && others.length > 0; at++) {
      const to = others[at % others.length] ?? '';
      if ((await tryToConnect(to, port, TRIED)) === undefined) result.reached.push(to);
    }
  })();
  await Promise.all(Array.from({ length: atOnce }, work));
  isRunning = false;
  await trying;
  return result;
}

interface Call {
  readonly id: number;
  readonly name: keyof AskerOperations;
  readonly args: readonly never[];
}

process.on('message', async ({ id, name, args }: Call) => {
  const run: (...all: readonly never[]) => Promise<unknown> = operations[name];
  process.send?.({ id, result: await run(...args) });
});
process.on('disconnect', () => process.exit());
