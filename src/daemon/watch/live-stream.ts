/**
 * Sends the live state to one reader, as server-sent events: all of it, then what changes.
 *
 * Nothing is queued for a reader: what it has not taken yet is read from the source when it is ready. So a slow reader
 * gets all of it anew, one that does not read at all is dropped, and neither costs memory.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { LiveSource, Subscription } from './live-source.ts';

export interface StreamTiming {
  /** Milliseconds after which a comment shows that the stream is alive. */
  readonly heartbeat: number;
  /** Milliseconds after which a reader that takes nothing is dropped. */
  readonly timeout: number;
}

const TIMING: StreamTiming = { heartbeat: 15_000, timeout: 30_000 };

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

/** Resolves when the reader is gone. */
export async function sendLive(
  response: ServerResponse,
  source: LiveSource,
  timing: StreamTiming = TIMING,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.on('error', () => gone.abort());
  response.socket?.setTimeout(0);
  response.writeHead(200, HEADERS);
  response.flushHeaders();
  const subscription = source.subscribe();
  try {
    await sendAll(response, subscription, gone.signal, timing);
  } finally {
    subscription.close();
    response.destroy();
  }
}

async function sendAll(
  response: ServerResponse,
  subscription: Subscription,
  gone: AbortSignal,
  { heartbeat, timeout }: StreamTiming,
): Promise<void> {
  while (!gone.aborted) {
    for (const piece of subscription.take()) if (!(await write(response, piece, gone, timeout))) return;
    const hasChanged = await subscription.changed(heartbeat, gone);
    if (!hasChanged && !gone.aborted && !(await write(response, ': alive\n\n', gone, timeout))) return;
  }
}

/** False if the reader is gone, or takes nothing. */
async function write(
  response: ServerResponse,
  piece: string,
  gone: AbortSignal,
  timeout: number,
): Promise<boolean> {
  if (gone.aborted) return false;
  if (response.write(piece)) return true;
  const signal = AbortSignal.any([gone, AbortSignal.timeout(timeout)]);
  return once(response, 'drain', { signal }).then(
    () => true,
    () => false,
  );
}
