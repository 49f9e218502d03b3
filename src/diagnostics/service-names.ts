/**
 * Services as people name them on the command line: as rules do.
 */

import { parseRule, type ServiceRule } from '../policy/rule.ts';

/** `production.postgresql@dc2`; undefined for everything else. */
export const parseService = (text: string): ServiceRule | undefined => {
  const parsed = parseRule(text);
  return parsed !== undefined && 'rule' in parsed && parsed.rule.kind === 'service' ? parsed.rule : undefined;
};
