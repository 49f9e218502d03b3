/**
 * What `doctor` says of a host: one line for each topic.
 */
export type Health = 'ok' | 'warning' | 'error';

export interface Check {
  readonly topic: string;
  readonly health: Health;
  readonly message: string;
  readonly remedy?: string;
}

export type Evaluated = Omit<Check, 'topic'>;
