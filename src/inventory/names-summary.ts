/**
 * The names of one namespace in a few numbers.
 */
export interface NamesSummary {
  readonly state: 'answering' | 'waiting' | 'unavailable';
  /** Names that have addresses now, and these. */
  readonly names: number;
  readonly addresses: number;
  /** Names that were asked in vain in the last hour. */
  readonly denied: number;
}
