/**
 * Parses services on the command line, in the notation of rules.
 */

import { parseRule, type ServiceRule } from '../policy/rule.ts';

/** `production.postgresql@dc2`; undefined for anything else. */
export const parseService = (text: string): ServiceRule | undefined => {
  const parsed = parseRule(text);
  return parsed !== undefined && 'rule' in parsed && parsed.rule.kind === 'service' ? parsed.rule : undefined;
};
