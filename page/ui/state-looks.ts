/**
 * How each state looks: a symbol and a tone beside its word, never a colour alone. Pure.
 */
import type { IconName } from './icon-paths.ts';

/** `good`: as wanted. `watch`: passes and is recorded. `warn`: look at it. `bad`: act. `quiet`: nothing to say. */
export type Tone = 'good' | 'watch' | 'warn' | 'bad' | 'quiet';

export interface Look {
  readonly icon: IconName;
  readonly tone: Tone;
}

const QUIET: Look = { icon: 'dash', tone: 'quiet' };

/** A state that stands here twice does not compile. */
const LOOKS = new Map<string, Look>(
  Object.entries({
    // Of namespaces, for egress and ingress.
    protected: { icon: 'shield', tone: 'good' },
    audit: { icon: 'eye', tone: 'watch' },
    isolated: { icon: 'lock', tone: 'warn' },
    closed: { icon: 'lock', tone: 'warn' },
    pending: { icon: 'clock', tone: 'warn' },
    denylist: { icon: 'list', tone: 'good' },
    custom: { icon: 'pencil', tone: 'good' },
    unenforceable: { icon: 'warning', tone: 'bad' },
    failed: { icon: 'cross', tone: 'bad' },
    cleared: { icon: 'open', tone: 'warn' },
    // Without rules.
    unsupported: { icon: 'ban', tone: 'bad' },
    'not enabled': { icon: 'dash', tone: 'warn' },
    // Of sources, hosts and findings.
    ok: { icon: 'check', tone: 'good' },
    error: { icon: 'cross', tone: 'bad' },
    errors: { icon: 'cross', tone: 'bad' },
    warning: { icon: 'warning', tone: 'warn' },
    info: { icon: 'info', tone: 'quiet' },
    stopped: { icon: 'dash', tone: 'warn' },
    stale: { icon: 'clock', tone: 'bad' },
    unreadable: { icon: 'cross', tone: 'bad' },
    outdated: { icon: 'clock', tone: 'bad' },
    'not read yet': { icon: 'clock', tone: 'warn' },
    // Of ports, networks and names.
    loaded: { icon: 'shield', tone: 'good' },
    observe: { icon: 'eye', tone: 'watch' },
    enforce: { icon: 'shield', tone: 'good' },
    open: { icon: 'open', tone: 'good' },
    off: QUIET,
    applied: { icon: 'check', tone: 'good' },
    kept: { icon: 'check', tone: 'good' },
    moved: { icon: 'warning', tone: 'warn' },
    absent: { icon: 'cross', tone: 'bad' },
    conflicting: { icon: 'cross', tone: 'bad' },
    invalid: { icon: 'cross', tone: 'bad' },
    answering: { icon: 'check', tone: 'good' },
    waiting: { icon: 'clock', tone: 'warn' },
    unavailable: { icon: 'cross', tone: 'bad' },
    allowed: { icon: 'check', tone: 'good' },
    passed: { icon: 'eye', tone: 'watch' },
    denied: { icon: 'ban', tone: 'bad' },
    // Of passages, and of gates on the way of a call.
    passes: { icon: 'check', tone: 'good' },
    denies: { icon: 'ban', tone: 'bad' },
    records: { icon: 'eye', tone: 'watch' },
    unknown: { icon: 'info', tone: 'quiet' },
  } satisfies Record<string, Look>),
);

export const lookOf = (state: string): Look => LOOKS.get(state) ?? QUIET;

/** What is wrong comes first. */
const URGENCY: Readonly<Record<Tone, number>> = { bad: 0, warn: 1, watch: 2, quiet: 3, good: 4 };

export const urgencyOf = (state: string): number => URGENCY[lookOf(state).tone];
