/**
 * Services as people name them on the command line: as rules do.
 */

import type { ServiceRef } from '../inventory/service.ts';
import { parseRule, type ServiceRule } from '../policy/rule.ts';

/** `production.postgresql@dc2`; undefined for everything else. */
export const parseService = (text: string): ServiceRule | undefined => {
  const parsed = parseRule(text);
  return parsed !== undefined && 'rule' in parsed && parsed.rule.kind === 'service' ? parsed.rule : undefined;
};

/** Names separated by commas; what is no service is left out. */
export const parseServices = (text: string): readonly ServiceRef[] =>
  text
    .split(',')
    .flatMap((name) => parseService(name.trim()) ?? [])
    .map(({ service, datacenter }) => ({ service, datacenter }));
