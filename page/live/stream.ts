/**
 * The stream of the page's process: open while the page can be seen, one update for each frame that is drawn. All tabs of a
 * browser share one (tabs.ts).
 */
import { type LiveEvents, wireOf } from '../../src/live/state.ts';
import { hostTime, setClock } from './clock.ts';
import { fold, type Message, withoutPage, withReason } from './fold.ts';
import { endSession, reasonIn, session } from './session.ts';
import { known } from './store.ts';
import { Tabs } from './tabs.ts';

const EVENTS = ['snapshot', 'changes', 'link'] as const;

/** Milliseconds before it is opened again, where the browser does not do so by itself. */
const RETRY = 3_000;

let source: EventSource | undefined;
let waiting: Message[] = [];
let retry: ReturnType<typeof setTimeout> | undefined;

const tabs = new Tabs({
  openStream: openSource,
  receive: follow,
  allKnown: whatIsKnown,
  leaderFound: () => {
    if (session.value.kind !== 'login' || document.hidden) return;
    session.value = { kind: 'open' };
    open();
  },
});

/** Opens the stream, and closes it while nobody can see the page. */
export function startStream(): void {
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  if (!document.hidden) open();
}

export function open(): void {
  close();
  tabs.join();
}

function openSource(): void {
  source?.close();
  source = new EventSource('/live');
  for (const event of EVENTS) source.addEventListener(event, ({ data }) => take(event, data));
  source.addEventListener('error', failed);
}

function close(): void {
  clearTimeout(retry);
  tabs.leave();
  source?.close();
  source = undefined;
  draw();
}

function take(event: keyof LiveEvents, data: string): void {
  const message: Message = { event, data: JSON.parse(data) };
  receive(message);
  tabs.announce();
  tabs.tell([message]);
}

/** Another tab has the stream, so this one needs none, even if it had to open one. */
function follow(message: Message): void {
  source?.close();
  source = undefined;
  receive(message);
}

function receive(message: Message): void {
  if (message.event === 'link' || message.event === 'tab') setClock(message.data.at);
  if (waiting.length === 0) requestAnimationFrame(draw);
  waiting.push(message);
}

function draw(): void {
  const messages = waiting;
  waiting = [];
  if (messages.length > 0) known.value = messages.reduce(fold, known.value);
}

function whatIsKnown(): readonly Message[] {
  draw();
  const { at, revision, state } = known.value;
  const snapshot = { event: 'snapshot', data: { at, revision, state: wireOf(state) } } as const;
  return [...(at > 0 ? [snapshot] : []), connection()];
}

const connection = (): Message => ({ event: 'tab', data: { at: hostTime(), link: known.value.link } });

/** The browser opens it again by itself, except after an answer that is not 200. */
function failed(): void {
  known.value = withoutPage(known.value, hostTime());
  tabs.tell([connection()]);
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
