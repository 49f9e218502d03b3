/** How other tools write what a rule by name is, and what people paste: each is told with the rule to write. */
import { expect, test } from 'vitest';
import { parseTarget } from '../../../src/diagnostics/target.ts';
import { formatRule, parseRule } from '../../../src/policy/rule.ts';

const reasonOf = (line: string): string | undefined => {
  const parsed = parseRule(line);
  return parsed !== undefined && 'reason' in parsed ? parsed.reason : undefined;
};

const ports = (text: string, rule: string) => `expected a name with ports, got "${text}"; write ${rule}`;
const url = (text: string, rule: string) =>
  `expected a name with ports, got the URL "${text}"; write ${rule}`;
const path = (text: string, rule: string) => `expected a name without a path, got "${text}"; write ${rule}`;
const list = (text: string, rule: string) =>
  `expected one name in a line, got "${text}"; write one line for each, as in ${rule}`;
const alone = (text: string, rule: string) => `expected the rule alone, got "${text}"; write ${rule}`;
const pattern = (text: string) =>
  `expected a name, got the pattern "${text}"; a star stands for the whole first label, as in *.example.com:tcp/443`;

const API = 'api.example.com:tcp/443';

test.each([
  ['https://api.example.com', url('https://api.example.com', API)],
  ['https://api.example.com/*', url('https://api.example.com/*', API)],
  ['https://bücher.example:8443/', url('https://bücher.example:8443/', 'xn--bcher-kva.example:tcp/8443')],
  ['api.example.com tcp/443', ports('api.example.com tcp/443', API)],
  ['api.example.com tcp 443', ports('api.example.com tcp 443', API)],
  ['api.example.com 443', ports('api.example.com 443', API)],
  ['api.example.com/tcp/443', ports('api.example.com/tcp/443', API)],
  ['api.example.com/443', ports('api.example.com/443', API)],
  ['api.example.com:tcp:443', ports('api.example.com:tcp:443', API)],
  ['api.example.com:443/udp', ports('api.example.com:443/udp', 'api.example.com:udp/443')],
  ['tcp/api.example.com:443', ports('tcp/api.example.com:443', API)],
  ['UDP:*.example.com:53', ports('UDP:*.example.com:53', '*.example.com:udp/53')],
  ['api.example.com,www.example.com:tcp/443', list('api.example.com,www.example.com:tcp/443', API)],
  ['api.example.com:tcp/443; www.example.com', list('api.example.com:tcp/443; www.example.com', API)],
  [`"${API}"`, alone(`"${API}"`, API)],
  [`- '${API}',`, alone(`- '${API}',`, API)],
  [`- ${API}`, alone(`- ${API}`, API)],
  ['"10.0.0.0/8:tcp/80"', alone('"10.0.0.0/8:tcp/80"', '10.0.0.0/8:tcp/80')],
  [`allow ${API}`, alone(`allow ${API}`, API)],
  ['api.example.com/v1', path('api.example.com/v1', API)],
  ['api.example.com/', path('api.example.com/', API)],
  ['api.example.com/v1/x?y=1:TCP/443', path('api.example.com/v1/x?y=1:TCP/443', API)],
  ['regex:.*example.com', pattern('regex:.*example.com')],
  ['.*\\.example\\.com:tcp/443', pattern('.*\\.example\\.com:tcp/443')],
])('%s is told with the rule to write', (line, reason) => {
  expect(reasonOf(line)).toBe(reason);
  const [, written] = /(?:write|as in) (\S+)$/.exec(reason) ?? [];
  expect(reasonOf(written ?? '')).toBeUndefined();
});

test.each([
  ...[API, 'api.example.com.:TCP/443', '*.example.com:udp/53', 'db@10.0.0.0/8,192.168.0.0/16:tcp/5432'],
  ...['10.0.0.0/8:tcp/80', '10.0.0.1:tcp/80,443', 'env:prod.io', 'production.postgresql', 'prod.web@dc2:udp'],
])('%s is a rule', (line) => {
  const parsed = parseRule(line);
  expect(parsed).toHaveProperty('rule');
  if (parsed !== undefined && 'rule' in parsed) expect(reasonOf(formatRule(parsed.rule))).toBeUndefined();
});

test.each([
  ['x.service.consul tcp/80', 'expected one rule without spaces inside, got "x.service.consul tcp/80"'],
  ['10.0.0.1 tcp/80', 'expected one rule without spaces inside, got "10.0.0.1 tcp/80"'],
])('%s is no name', (line, reason) => {
  expect(reasonOf(line)).toBe(reason);
});

test.each<readonly [string, string]>([
  ['https://api.example.com/v1', url('https://api.example.com/v1', API)],
  ['api.example.com tcp/443', ports('api.example.com tcp/443', API)],
  ['"api.example.com"', alone('"api.example.com"', 'api.example.com')],
  ['allow api.example.com', alone('allow api.example.com', 'api.example.com')],
  [
    'deny 10.0.0.0/8:tcp/80',
    'expected a rule that allows, got "deny 10.0.0.0/8:tcp/80"; rules only allow, and all other traffic is denied: delete the line',
  ],
  ['bücher.example:443', 'expected a name in ASCII, got "bücher.example"; write xn--bcher-kva.example'],
  ...['*.example.com', '*.example.com:443', 'api.example.com@10.0.0.0/8:443'].map(
    (text) =>
      [
        text,
        `expected one name, without a star and without "@", got "${text}"; ask about a name that the rule covers`,
      ] as const,
  ),
])('%s as the target of explain', (text, reason) => {
  expect(() => parseTarget(text, undefined)).toThrow(reason);
});
