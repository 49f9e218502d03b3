/**
 * A finding of lint: the place, the reason, and the solution.
 */

/**
 * - `error`: something has no effect. `warning`: it has an effect, but perhaps not the intended one.
 * - `info`: it is unnecessary.
 */
export type Severity = 'error' | 'warning' | 'info';

export interface Finding {
  readonly severity: Severity;
  readonly code:
    | 'bad-line'
    | 'host-bits'
    | 'host-name'
    | 'protected'
    | 'service'
    | 'broad'
    | 'duplicate'
    | 'shadowed'
    | 'empty-key'
    | 'missing-key'
    | 'unused-key'
    | 'not-enabled'
    | 'foreign-rules';
  /** Undefined if the finding is about a container. */
  readonly key?: string | undefined;
  readonly container?: string | undefined;
  readonly line?: number | undefined;
  readonly text?: string | undefined;
  readonly reason: string;
  readonly remedy: string;
}
