/**
 * What is wrong with a rule, a key or a container, in words for the person who wrote it. Problems
 * are values, not exceptions: one bad line must not take down the good ones.
 */
export interface Problem {
  /** `error`: what it names has no effect. `warning`: it has, but perhaps not the one meant. */
  readonly severity: 'error' | 'warning';
  /** The ACL key, where one is concerned. */
  readonly key?: string;
  /** Line number in the key's value, from 1. */
  readonly line?: number;
  /** The offending text, as written. */
  readonly text?: string;
  /** One clause: what was expected and what came. */
  readonly reason: string;
}
