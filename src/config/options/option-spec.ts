/**
 * An option of egresstrator: its flag, its environment variable, its default, and what it is for.
 */
export interface OptionSpec {
  /** As commander writes it, `-c, --consul <address>`. */
  readonly flags: string;
  readonly variable?: string;
  readonly fallback?: string;
  readonly help: string;
}
