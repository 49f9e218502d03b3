/**
 * A line of a key as plain data.
 */
import { formatRule, type RuleLine } from '../policy/rule.ts';

/** `text` as written and `rule` as read. */
export interface LineAnswer {
  readonly key: string;
  readonly line: number;
  readonly text: string;
  readonly rule: string;
}

export const plainLine = (key: string, { line, text, rule }: RuleLine): LineAnswer => ({
  ...{ key, line, text },
  rule: formatRule(rule),
});
