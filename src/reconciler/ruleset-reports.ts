/**
 * Records and logs the end of each job.
 */

import type { Reports } from './feature-reconciler.ts';
import { attachmentsOf } from './load-records.ts';
import type { Outcome } from './reconcile.ts';
import { nameOf, type ObservedRules, type RulesetContext, type RulesetSource } from './ruleset-driver.ts';

export const rulesetReports = <Desired>(
  source: RulesetSource<Desired>,
  { records, log }: Pick<RulesetContext, 'records' | 'log'>,
): Reports<Desired, ObservedRules> => ({
  ended({ desired, isReleased, observed }, outcome, ms) {
    const namespace = source.namespaceOf(desired);
    const known = observed?.needsReload === false ? observed.loaded : undefined;
    records.set(namespace.id, attachmentsOf(namespace), known);
    const isKept = outcome === 'unchanged' && !isReleased && source.isFallback?.(desired) === true;
    const { level, message } = MESSAGES[isKept ? 'kept' : outcome];
    const { fingerprint } = observed?.loaded ?? {};
    log[level]({ container: nameOf(namespace), ...source.describe(desired), fingerprint, ms }, message);
  },
  failed({ desired }, error) {
    const fields = { container: nameOf(source.namespaceOf(desired)), error: error.message };
    log.error(fields, 'rules could not be loaded; trying again');
  },
});

const MESSAGES = {
  unchanged: { level: 'debug', message: 'rules are in place' },
  applied: { level: 'info', message: 'rules loaded' },
  released: { level: 'info', message: 'rules removed' },
  kept: { level: 'info', message: 'keeping the existing rules until Consul responds' },
} as const satisfies Record<Outcome | 'kept', { level: 'debug' | 'info'; message: string }>;
