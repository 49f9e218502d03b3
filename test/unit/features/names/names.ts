/** Rules, policies and records of names for the tests. */
import { TYPE } from '../../../../src/dns/codes.ts';
import type { Name } from '../../../../src/dns/name.ts';
import type { DnsRecord } from '../../../../src/dns/record.ts';
import { wireName } from '../../../../src/dns/writer.ts';
import { NeverGranted } from '../../../../src/features/names/addresses.ts';
import type { NamePolicy } from '../../../../src/features/names/decision.ts';
import type { GrantElement } from '../../../../src/features/names/grant.ts';
import { indexRules } from '../../../../src/features/names/matching.ts';
import { formatPrefix, type Prefix, parseAddress } from '../../../../src/net/address.ts';
import { type NameRule, parseNameRule } from '../../../../src/policy/name-rule.ts';
import { type ClassNumbers, numbersOf, portClasses } from '../../../../src/policy/port-classes.ts';

export const nameRule = (text: string): NameRule => {
  const parsed = parseNameRule(text);
  if (parsed === undefined || 'reason' in parsed)
    throw new Error(parsed?.reason ?? `no rule by name: ${text}`);
  return parsed.rule;
};

export const dotted = (text: string): Name => text.split('.');

export const address = (text: string): Prefix => {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
};

export const policyOf = (rules: readonly string[], more: Partial<NamePolicy> = {}): NamePolicy => ({
  index: indexRules(rules.map(nameRule)),
  never: new NeverGranted([]),
  grace: 300,
  answer: 'refused',
  mode: 'enforce',
  localResolver: () => undefined,
  consulDomain: ['consul'],
  ...more,
});

const bytesOf = ({ family, address: value }: Prefix): Uint8Array => {
  const digits = value.toString(16).padStart(family === 4 ? 8 : 32, '0');
  return new Uint8Array(Buffer.from(digits, 'hex'));
};

/** A record of type A or AAAA. */
export const addressRecord = (name: Name, to: Prefix, ttl = 60): DnsRecord => ({
  ...{ name, ttl, type: to.family === 4 ? TYPE.A : TYPE.AAAA },
  data: bytesOf(to),
});

export const aliasRecord = (name: Name, target: Name, type: number = TYPE.CNAME, ttl = 60): DnsRecord => ({
  ...{ name, type, ttl, target },
  data: wireName(target),
});

/** `203.0.113.7 tcp/443` */
export const formatElement = ({ portClass, address: to }: GrantElement): string =>
  `${formatPrefix(to)} ${portClass}`;

/** The numbers of the classes of some rules. */
export const numberClasses = (rules: readonly NameRule[]): ClassNumbers => numbersOf(portClasses(rules));
