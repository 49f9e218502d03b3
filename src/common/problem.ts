/**
 * A problem of a rule, a key or a container, described for its author. Problems are values, not exceptions: one bad
 * line must not affect the good ones.
 */
export interface Problem {
  /** `error`: the line has no effect. `warning`: it has an effect, but perhaps not the intended one. */
  readonly severity: 'error' | 'warning';
  /** The ACL key, if the problem is about one. */
  readonly key?: string | undefined;
  /** Line number in the key's value, from 1. */
  readonly line?: number | undefined;
  /** The offending text, as written. */
  readonly text?: string | undefined;
  /** One clause: what was expected and what was found. */
  readonly reason: string;
}

const UNREAD = 'the instances of this service could not be read';

/** Of a service in a rule, whose name is the text. `consequence`: completes "…, so". */
export const unreadService = (service: string, consequence: string): Problem => ({
  severity: 'error',
  text: service,
  reason: `${UNREAD}, so ${consequence}`,
});

/** It is the same problem for each container whose keys name the service. */
export const isUnreadService = ({ reason }: Problem): boolean => reason.startsWith(UNREAD);
