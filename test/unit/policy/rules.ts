/**
 * Lines of rules for the tests: read one that must be good, or hear why it is not.
 */
import { type Prefix, parsePrefix } from '../../../src/net/address.ts';
import { type AddressRule, formatRule, parseRule, type Rule } from '../../../src/policy/rule.ts';

export const ruleOf = (line: string): Rule => {
  const parsed = parseRule(line);
  if (parsed === undefined || 'reason' in parsed) throw new Error(parsed?.reason ?? 'blank');
  return parsed.rule;
};

export const addressRuleOf = (line: string): AddressRule => {
  const rule = ruleOf(line);
  if (rule.kind !== 'address') throw new Error(`no rule by address: ${line}`);
  return rule;
};

export const prefixOfText = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.prefix;
};

export const reasonOf = (line: string): string => {
  const parsed = parseRule(line);
  if (parsed !== undefined && 'reason' in parsed) return parsed.reason;
  return `none: ${parsed === undefined ? 'blank' : formatRule(parsed.rule)}`;
};

export const AN_ADDRESS =
  'expected an IP address (IPv4 as four decimal numbers 0-255 without leading zeros), got';
export const A_PORT = 'expected a port 0-65535 or a range of them, got';
