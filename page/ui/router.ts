/**
 * The address of the browser as a signal, by the History API. Filters stand in the query, so each view is a permalink.
 */
import { computed, signal } from '@preact/signals';

export { keyPath, match, workloadPath } from './addresses.ts';

const read = () => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const place = signal(read());

/** The path alone: it does not change with filters. */
export const path = computed(() => place.value.path);

/** Another address, as a link leads to it. */
export function navigate(to: string): void {
  if (timer !== undefined) write();
  history.pushState(null, '', to);
  const before = place.peek().path;
  place.value = read();
  if (place.peek().path !== before) arrive();
}

/** A new screen begins at its top, and readers hear its heading. */
function arrive(): void {
  scrollTo(0, 0);
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true }));
}

/** One word of the query; empty if it is not there. */
export const queryOf = (name: string): string => place.value.query.get(name) ?? '';

/** An empty text removes the word. It makes no entry in the history. */
export function setQuery(changes: Readonly<Record<string, string>>): void {
  const { path: same, query: before } = place.peek();
  const query = new URLSearchParams(before);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  place.value = { path: same, query };
  const wait = written + PAUSE - performance.now();
  if (wait <= 0) write();
  else timer ??= setTimeout(write, wait);
}

/** Milliseconds: browsers forbid a page to change its address much oftener, as one does who types. */
const PAUSE = 350;

let written = Number.NEGATIVE_INFINITY;
let timer: ReturnType<typeof setTimeout> | undefined;

function write(): void {
  forget();
  written = performance.now();
  const { path: same, query } = place.peek();
  const text = query.toString();
  history.replaceState(null, '', `${same}${text === '' ? '' : `?${text}`}`);
}

function forget(): void {
  clearTimeout(timer);
  timer = undefined;
}

export function startRouter(): void {
  addEventListener('popstate', () => {
    forget();
    place.value = read();
  });
  document.addEventListener('click', follow);
}

/** Links of the page lead to other screens without a load. */
function follow(event: MouseEvent): void {
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!isPlain || event.defaultPrevented || link === null) return;
  if (link.hasAttribute('target') || link.hasAttribute('download')) return;
  // A link in a drawing has no origin of its own.
  const to = new URL(link.getAttribute('href') ?? '', location.href);
  if (to.origin !== location.origin || (to.hash !== '' && to.pathname === location.pathname)) return;
  event.preventDefault();
  navigate(`${to.pathname}${to.search}`);
}
