/**
 * A finding of lint: the place, the reason, and the solution.
 */

/**
 * - `error`: something has no effect. `warning`: it has an effect, but perhaps not the intended one.
 * - `info`: it is unnecessary.
 */
export type Severity = 'error' | 'warning' | 'info';

export const FINDING_CODES = [
  ...(['bad-line', 'host-bits', 'host-name', 'protected', 'service', 'broad', 'duplicate'] as const),
  ...(['shadowed', 'empty-key', 'missing-key', 'unused-key', 'not-enabled', 'foreign-rules'] as const),
  ...(['host-rules', 'closed-port', 'hidden-caller', 'networks-file', 'name'] as const),
] as const;

export interface Finding {
  readonly severity: Severity;
  readonly code: (typeof FINDING_CODES)[number];
  /** Undefined if the finding is about a container. */
  readonly key?: string | undefined;
  /** `ingress`: the key is an ingress key. */
  readonly direction?: 'ingress' | undefined;
  readonly container?: string | undefined;
  readonly line?: number | undefined;
  readonly text?: string | undefined;
  readonly reason: string;
  readonly remedy: string;
}

/** A finding without its place. */
export type LintResult = Omit<Finding, 'key' | 'line' | 'text'>;
