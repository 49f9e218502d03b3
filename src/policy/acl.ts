/**
 * The ACL keys of Consul, parsed. A key is parsed once for each of its texts, so an unchanged key has an identical
 * parsed object.
 */

import type { Direction } from '../common/direction.ts';
import type { Problem } from '../common/problem.ts';
import { parseRules, type RuleLine } from './rule.ts';

export interface AclKey {
  readonly key: string;
  readonly text: string;
  readonly rules: readonly RuleLine[];
  readonly problems: readonly Problem[];
}

export type Acl = ReadonlyMap<string, AclKey>;

export function parseAcl(
  texts: ReadonlyMap<string, string>,
  previous: Acl = new Map(),
  direction: Direction = 'egress',
): Acl {
  const acl = new Map<string, AclKey>();
  for (const [key, text] of texts) {
    const known = previous.get(key);
    acl.set(key, known?.text === text ? known : { key, text, ...parseRules(key, text, direction) });
  }
  return acl;
}
