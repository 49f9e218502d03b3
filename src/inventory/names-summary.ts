/**
 * The names of one namespace in a few numbers.
 */
export interface NamesSummary {
  readonly state: NamesState;
  /** Names that have addresses now, and these. */
  readonly names: number;
  readonly addresses: number;
  /** Names that were asked in vain in the last hour. */
  readonly denied: number;
}

/**
 * `answering`: the workload's names are answered. `waiting`: they will be in a moment. `unavailable`: they cannot be,
 * and rules by name grant nothing.
 */
export type NamesState = 'answering' | 'waiting' | 'unavailable';
