/**
 * What the browser knows, and how each message of the stream changes it. Pure.
 */
import { applyChanges, EMPTY_STATE, type LiveEvents, type LiveState, stateOf } from '../../src/live/state.ts';

export type Message =
  | {
      readonly [E in keyof LiveEvents]: { readonly event: E; readonly data: LiveEvents[E] };
    }[keyof LiveEvents]
  /** From the tab that has the stream: what it knows of the connection; `at`: when it said so, by the host's clock. */
  | { readonly event: 'tab'; readonly data: { readonly at: number; readonly link: Link } };

/**
 * - `opening`: nothing was heard yet.
 * - `live`: what is shown is what is.
 * - `controller`: the page's process does not hear from the controller.
 * - `page`: the browser does not hear from the page's process.
 */
export interface Link {
  readonly kind: 'opening' | 'live' | 'controller' | 'page';
  /** In ms by the host's clock. */
  readonly since: number;
  readonly reason?: string | undefined;
}

export interface Known {
  readonly state: LiveState;
  readonly revision: number;
  /** When the state was made, in ms by the host's clock; 0: there is none yet. */
  readonly at: number;
  readonly link: Link;
}

export const NOTHING_KNOWN: Known = {
  ...{ state: EMPTY_STATE, revision: 0, at: 0 },
  link: { kind: 'opening', since: 0 },
};

export function fold(known: Known, message: Message): Known {
  if (message.event === 'link') return { ...known, link: linkOf(message.data) };
  if (message.event === 'tab') return { ...known, link: message.data.link };
  const { revision, at } = message.data;
  const state =
    message.event === 'snapshot'
      ? stateOf(message.data.state)
      : applyChanges(known.state, message.data.changes);
  const link: Link = known.link.kind === 'controller' ? known.link : { kind: 'live', since: at };
  return { state, revision, at, link };
}

const linkOf = ({ isConnected, since, reason }: Omit<LiveEvents['link'], 'at'>): Link => ({
  ...{ kind: isConnected ? 'live' : 'controller', since, reason },
});

/** The browser does not hear from the page's process. What is known stays. */
export const withoutPage = (known: Known, now: number): Known =>
  known.link.kind === 'page'
    ? known
    : { ...known, link: { kind: 'page', since: known.link.kind === 'controller' ? known.link.since : now } };

/** Why it does not: it has answered so. */
export const withReason = (known: Known, reason: string): Known => ({
  ...known,
  link: { ...known.link, kind: 'page', reason },
});
