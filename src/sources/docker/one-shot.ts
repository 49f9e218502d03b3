/**
 * Runs an existing container once, with its stdin, stdout and stderr.
 *
 * The order matters. Attach comes before start, because output in between would be lost. Wait comes after start,
 * because it then also returns for a container that has already ended.
 */
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../common/wait-until.ts';
import type { Engine } from './engine.ts';
import { EngineUnreachable } from './errors.ts';
import { Frames, type Output } from './frames.ts';

export interface OneShot {
  readonly id: string;
  /** The input of the program; undefined: none. */
  readonly stdin: string | undefined;
  /** Milliseconds; then the container is killed and removed. */
  readonly limit: number;
  /** The most bytes of stdout, and of stderr, that are kept. */
  readonly mostOutput: number;
}

export interface Ended extends Output {
  readonly exitCode: number;
  /** True if it was killed because it exceeded its limit. */
  readonly expired: boolean;
}

/** Milliseconds to wait for the later one of "output ended" and "container ended". */
const grace = 5_000;

/** Settles only when the container has ended, as far as the Engine can tell. */
export async function runOnce(engine: Engine, oneShot: OneShot): Promise<Ended> {
  const { id, limit } = oneShot;
  let killed: Promise<unknown> | undefined;
  const timer = setTimeout(() => {
    killed = engine.remove(id).catch(() => {});
  }, limit);
  try {
    const ended = await attachAndRun(engine, oneShot);
    return { ...ended, expired: killed !== undefined };
  } catch (error) {
    if (killed === undefined) throw error;
    return { exitCode: 137, stdout: '', stderr: '', truncated: false, expired: true };
  } finally {
    clearTimeout(timer);
    await killed;
  }
}

async function attachAndRun(engine: Engine, { id, stdin, limit, mostOutput }: OneShot) {
  const stream = await engine.attach(id, stdin !== undefined);
  try {
    const frames = new Frames(mostOutput);
    const silent = collect(stream, frames);
    if (stdin !== undefined) stream.end(stdin);
    await engine.start(id);
    const exitCode = await exitCodeOf(engine, id, limit, silent);
    await waitUntil(grace, silent, undefined);
    return { exitCode, ...frames.output };
  } finally {
    stream.destroy();
  }
}

/** Resolves at the end of the stream, whatever ends it. */
function collect(stream: Duplex, frames: Frames): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.on('data', (chunk: Uint8Array) => frames.write(chunk));
  // A program that does not read its stdin to the end breaks the stream: its exit code says why.
  stream.on('error', () => resolve());
  stream.on('end', resolve);
  stream.on('close', resolve);
  return promise;
}

/** A response that is cut off never arrives; the end of the output shows that it is due. */
async function exitCodeOf(engine: Engine, id: string, limit: number, silent: Promise<void>): Promise<number> {
  const waiting = engine.wait(id, limit + grace);
  const overdue = async (): Promise<never> => {
    await silent;
    await sleep(grace, undefined, { ref: false });
    throw new EngineUnreachable(
      `The Docker Engine at ${engine.address} did not report how container ${id} ended.`,
    );
  };
  return Promise.race([waiting, overdue()]);
}
