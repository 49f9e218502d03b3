/**
 * Parses the state of a namespace as `dataplane/netns` prints it: one line for each known fact.
 */

import { messageOf } from '../common/errors.ts';
import { NOTHING_DENIED } from '../inventory/denied-record.ts';
import type { KernelState, Loaded } from './dataplane.ts';
import { parseDenied } from './denied.ts';

/** The facts that are printed. */
type Fact = Exclude<keyof Loaded, 'hasProcessLeft' | 'hasForeign'> | 'foreign';

const forms = {
  fingerprint: /^[0-9a-f]+$/,
  facts: /^0x[0-9a-f]+$/,
  digest: /^[0-9a-f]{64}$/,
  listing: /^[0-9a-f]{64}$/,
  foreign: /^yes$/,
} satisfies Record<Fact, RegExp>;

/** Throws an `Error` for any other line. */
export function parseState(text: string): Loaded {
  const found = new Map<string, string>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, name = '', value = ''] = /^(\w+) ?(.*)$/.exec(line) ?? [];
    if (!isFact(name) || found.has(name)) throw new Error(`"${line}" was not expected in a state`);
    // A value that was cut off: something is loaded, but it is not known what.
    if (value !== '' && !forms[name].test(value))
      throw new Error(`"${line}" is not what a ${name} looks like`);
    found.set(name, value);
  }
  const value = (name: Fact) => found.get(name) || undefined;
  const listing = value('listing');
  return {
    ...{ fingerprint: value('fingerprint'), facts: value('facts'), digest: value('digest') },
    ...(value('foreign') === undefined ? {} : { hasForeign: true }),
    ...(listing === undefined ? {} : { listing }),
  };
}

const DENIED = /^denied /m;

/** Parses an inspection: a state, and the denied destinations if they are recorded. */
export function parseNamespaceState(text: string): KernelState {
  const [state = '', denied] = text.split(DENIED);
  return {
    loaded: parseState(state),
    denied: denied === undefined ? NOTHING_DENIED : parseDenied(denied),
  };
}

const isFact = (name: string): name is Fact => Object.hasOwn(forms, name);

/** The message for output that cannot be parsed. */
export const unreadable = (error: unknown): string => `what it printed cannot be read: ${messageOf(error)}`;
