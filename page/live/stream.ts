/**
 * The stream of the page's process: open while the page can be seen, one update for each frame that is drawn.
 */
import type { LiveEvents } from '../../src/live/state.ts';
import { hostTime, setClock } from './clock.ts';
import { fold, type Message, withoutPage, withReason } from './fold.ts';
import { endSession, reasonIn, session } from './session.ts';
import { known } from './store.ts';

const EVENTS = ['snapshot', 'changes', 'link'] as const;

/** Milliseconds before it is opened again, where the browser does not do so by itself. */
const RETRY = 3_000;

let source: EventSource | undefined;
let waiting: Message[] = [];
let retry: ReturnType<typeof setTimeout> | undefined;

/** Opens the stream, and closes it while nobody can see the page. */
export function startStream(): void {
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  if (!document.hidden) open();
}

export function open(): void {
  close();
  source = new EventSource('/live');
  for (const event of EVENTS) source.addEventListener(event, ({ data }) => receive(event, data));
  source.addEventListener('error', failed);
}

function close(): void {
  clearTimeout(retry);
  source?.close();
  source = undefined;
  draw();
}

function receive(event: keyof LiveEvents, data: string): void {
  if (waiting.length === 0) requestAnimationFrame(draw);
  waiting.push({ event, data: JSON.parse(data) });
}

function draw(): void {
  const messages = waiting;
  waiting = [];
  if (messages.length === 0) return;
  known.value = messages.reduce(fold, known.value);
  const last = messages.at(-1);
  if (last !== undefined && last.event !== 'link' && known.value.link.kind === 'live') setClock(last.data.at);
}

/** The browser opens it again by itself, except after an answer that is not 200. */
function failed(): void {
  known.value = withoutPage(known.value, hostTime());
  if (source?.readyState !== EventSource.CLOSED) return;
  close();
  void findReason();
}

/** An EventSource does not say why; the same question does. */
async function findReason(): Promise<void> {
  const stop = new AbortController();
  const response = await fetch('/live', { signal: stop.signal }).catch(() => undefined);
  if (response?.status === 401) return endSession();
  if (response !== undefined && !response.ok) known.value = withReason(known.value, await reasonIn(response));
  stop.abort();
  if (session.value.kind === 'open' && !document.hidden) retry = setTimeout(open, RETRY);
}
