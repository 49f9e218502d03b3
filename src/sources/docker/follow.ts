/**
 * Runs an existing container for long, and passes on the lines of its stdout as they come.
 */
import type { Engine } from './engine.ts';
import { Frames } from './frames.ts';

export interface Following {
  readonly id: string;
  readonly onLine: (line: string) => void;
  /** Ends it: the caller removes the container. */
  readonly signal: AbortSignal;
}

/** The most bytes of stderr that are kept. */
const MOST = 4_096;

/**
 * Resolves with its stderr when its output ends. Its stdin stays open until then: a program that reads it ends with this
 * process.
 */
export async function follow(engine: Engine, { id, onLine, signal }: Following): Promise<string> {
  const stream = await engine.attach(id, true);
  const stop = () => void stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const frames = new Frames(MOST, linesTo(onLine));
    stream.on('data', (chunk: Uint8Array) => frames.write(chunk));
    stream.on('error', () => resolve());
    stream.on('end', resolve);
    stream.on('close', resolve);
    if (!signal.aborted) await engine.start(id);
    else stop();
    await ended;
    return frames.output.stderr;
  } finally {
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

function linesTo(onLine: (line: string) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = '';
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
}
