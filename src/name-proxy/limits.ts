/**
 * What one namespace may take of the proxy.
 */
import { DEFAULT_FRESH, type FreshLimits } from '../features/names/fresh-names.ts';
import { DEFAULT_LIMITS, type GrantLimits } from '../features/names/grant.ts';
import { QUESTIONS_PER_SECOND } from '../policy/question-rates.ts';
import { DEFAULT_TCP, type TcpLimits } from './tcp-connection.ts';

export interface NameLimits {
  readonly grants: GrantLimits;
  readonly fresh: FreshLimits;
  readonly tcp: TcpLimits;
  /** Questions that wait for a resolver, or for the end of a load, at once. */
  readonly unanswered: number;
  /** Messages a second; more are dropped unread. An answer with many records counts as several. */
  readonly perSecond: number;
  /** Milliseconds that an answer waits for the end of a load. */
  readonly held: number;
  /** Milliseconds after its last question in which a name is asked again before its grant ends; absent: never. */
  readonly refresh?: number;
}

export const DEFAULT_NAME_LIMITS: NameLimits = {
  ...{ grants: DEFAULT_LIMITS, fresh: DEFAULT_FRESH, tcp: DEFAULT_TCP },
  ...{ unanswered: 256, perSecond: QUESTIONS_PER_SECOND, held: 3_000 },
};
