/**
 * What lint has found: one thing, where it is, why it matters, and what to do.
 */

/**
 * - `error`: something has no effect. `warning`: it has, but perhaps not the one meant.
 * - `info`: it is needless.
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
  /** Undefined for what is wrong with a container. */
  readonly key?: string | undefined;
  readonly container?: string | undefined;
  readonly line?: number | undefined;
  readonly text?: string | undefined;
  readonly reason: string;
  readonly remedy: string;
}
