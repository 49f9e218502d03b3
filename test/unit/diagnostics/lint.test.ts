/** What deserves a second look in the rules. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/diagnostics/finding.ts';
import { lint } from '../../../src/diagnostics/lint.ts';
import { compile } from '../../../src/policy/compile.ts';
import { serialize } from '../policy/rule-sets.ts';
import { aclOf, arbitraryText, catalogOf, instance, METADATA } from './fixtures.ts';

const lintText = (text: string, catalog?: ReturnType<typeof catalogOf>): readonly Finding[] =>
  lint({ acl: aclOf({ key: text }), protectedHosts: [METADATA], catalog, workloads: undefined });
const brief = (findings: readonly Finding[]) =>
  findings.map(({ severity, code, line, reason }) => [severity, code, line, reason]);

test('containers with rules of others come last, each with what to do', () => {
  const withForeignRules = ['web', 'job'];
  const context = { withForeignRules, protectedHosts: [], catalog: undefined, workloads: undefined };
  const findings = lint({ ...context, acl: aclOf({ key: '' }) });
  expect(findings.map(({ code, key, container }) => [code, key ?? container])).toEqual([
    ['empty-key', 'key'],
    ['foreign-rules', 'job'],
    ['foreign-rules', 'web'],
  ]);
  expect(findings.at(-1)).toMatchObject({ severity: 'warning', remedy: expect.stringContaining('restart') });
});

test('a service that could not be read is an error of each line that names it', () => {
  const failures = new Map([
    ['web@dc9', 'Consul does not know the datacenter dc9: correct its name, or join it.'],
  ]);
  const acl = aclOf({ key: '10.0.0.1:tcp/80\nproduction.web@dc9', other: 'web@dc9:udp' });
  const findings = lint({ acl, failures, protectedHosts: [], catalog: new Map(), workloads: undefined });
  const reason =
    'the instances of web@dc9 could not be read: Consul does not know the datacenter dc9: correct its name, or join it.';
  expect(brief(findings)).toEqual([
    ['error', 'service', 2, reason],
    ['error', 'service', 1, reason],
  ]);
});

describe('lines', () => {
  test('that are no rules, with what was expected', () => {
    expect(lintText('10.0.0.1:tcp/80\n10.0.0.1')).toMatchObject([
      { severity: 'error', code: 'bad-line', key: 'key', line: 2, text: '10.0.0.1' },
    ]);
  });

  test('with host bits, and how to write them', () => {
    expect(lintText('10.0.0.5/24:tcp/80')).toMatchObject([
      { severity: 'warning', code: 'host-bits', remedy: 'write 10.0.0.0/24:tcp/80' },
    ]);
  });

  test('said twice, or within wider ones', () => {
    const text =
      '10.0.0.1:tcp/80\n10.0.0.0/24:tcp/1-100\n10.0.0.1:tcp/80\n10.0.0.0/24:tcp/200\n10.0.0.1:tcp/90,200';
    expect(brief(lintText(text))).toEqual([
      ['info', 'shadowed', 1, 'line 2 (10.0.0.0/24:tcp/1-100) allows all of it'],
      ['info', 'shadowed', 3, 'line 2 (10.0.0.0/24:tcp/1-100) allows all of it'],
      [
        'info',
        'shadowed',
        5,
        'line 2 (10.0.0.0/24:tcp/1-100) and line 4 (10.0.0.0/24:tcp/200) allow all of it',
      ],
    ]);
    expect(brief(lintText('10.0.0.1:tcp/80\n\n10.0.0.1/32:tcp/80'))).toEqual([
      ['info', 'duplicate', 3, 'line 1 (10.0.0.1:tcp/80) is equal'],
    ]);
  });

  test('of services said twice, or without the tag', () => {
    expect(brief(lintText('production.pg\npg\npg\npg:udp'))).toEqual([
      ['info', 'shadowed', 1, 'line 2 (pg) allows all of it'],
      ['info', 'duplicate', 3, 'line 2 (pg) is equal'],
    ]);
  });

  test('that name a protected host are needed beside a broad one', () => {
    const findings = lintText('169.254.0.0/16:tcp/80\n169.254.169.254:tcp/80\n169.254.1.1:tcp/80');
    expect(findings.map(({ line }) => line)).toEqual([3]);
  });

  test('that hold a protected host and do not allow it', () => {
    expect(lintText('169.254.0.0/16:tcp/80\n169.254.169.0/24:udp/80')).toEqual([]);
    expect(lintText('169.254.0.0/16:tcp/80\n10.0.0.0/8:tcp/80')).toEqual([
      {
        severity: 'warning',
        code: 'protected',
        key: 'key',
        line: 1,
        text: '169.254.0.0/16:tcp/80',
        reason:
          'it does not allow the protected address 169.254.169.254, which only a prefix of /24 or longer does',
        remedy: 'if you mean it, add 169.254.169.254:tcp/80; otherwise name the networks around it',
      },
    ]);
    expect(lintText('0.0.0.0/0:tcp/80').map(({ code }) => code)).toEqual(['broad']);
  });

  test('that name a host as a service with a tag, in a file alone', () => {
    expect(brief(lintText('example.com\nproduction.pg\nprod.es'))).toEqual([
      ['warning', 'host-name', 1, 'it names the service com with the tag "example", and no host example.com'],
    ]);
    expect(lintText('example.com', catalogOf({ com: [instance('10.0.0.1', 80, 'example')] }))).toEqual([]);
  });

  test.each([
    ['0.0.0.0/0:tcp/443', 'it allows tcp to any address'],
    ['[::]/0:udp', 'it allows udp to any address on all ports'],
    ['128.0.0.0/1:tcp/443', 'it allows tcp to all of 128.0.0.0/1'],
    ['10.0.0.0/8:tcp', 'it allows tcp to all of 10.0.0.0/8 on all ports'],
    ['10.0.0.0/8:tcp/1-65535', 'it allows tcp to all of 10.0.0.0/8 on all ports'],
    ['[2001:db8::]/32:tcp', 'it allows tcp to all of 2001:db8::/32 on all ports'],
  ])('that are dangerously broad: %s', (text, reason) => {
    expect(brief(lintText(text))).toEqual([['warning', 'broad', 1, reason]]);
  });

  test.each(['10.0.0.0/8:tcp/443', '10.1.0.0/16:tcp', '10.0.0.0/8:icmp', '[2001:db8::]/48:tcp'])(
    'that are not: %s',
    (text) => expect(lintText(text)).toEqual([]),
  );

  test('whose services have no instances, where the catalog is known', () => {
    const catalog = catalogOf({ pg: [instance('db.example', 5432)], web: [] });
    expect(lintText('web\npg').map(({ code }) => code)).toEqual([]);
    expect(
      brief(lintText('web\npg', catalog)).map(([severity, code, line]) => [severity, code, line]),
    ).toEqual([
      ['warning', 'service', 1],
      ['error', 'service', 2],
    ]);
  });
});

test('taking away all that is called needless, line by line, changes nothing', () => {
  fc.assert(
    fc.property(fc.array(arbitraryText, { maxLength: 3 }), (texts) => {
      const text = texts.join('\n');
      const needless = lintText(text).filter(({ code }) => code === 'shadowed' || code === 'duplicate');
      const lines = new Set(needless.map(({ line }) => line));
      const rest = text
        .split('\n')
        .filter((_, index) => !lines.has(index + 1))
        .join('\n');
      const of = (content: string) =>
        serialize(compile(['key'], aclOf({ key: content }), new Map(), [METADATA]).ruleSet);
      expect(of(rest)).toBe(of(text));
    }),
    { numRuns: 1000 },
  );
});

describe('keys', () => {
  const acl = aclOf({ db: '10.0.0.1:tcp/80', old: '10.0.0.1:tcp/80', empty: '# nothing' });
  const workloads = ['a', 'b', 'c', 'd'].map((name) => ({ name, grants: ['db', 'empty', 'missing'] }));

  test('that nobody asks for, that hold nothing, that are missing', () => {
    const findings = lint({ acl, protectedHosts: [], catalog: undefined, workloads });
    expect(brief(findings)).toEqual([
      ['warning', 'empty-key', undefined, 'the key has no rule, so it grants nothing'],
      ['error', 'missing-key', undefined, 'a, b, c and 1 more ask for this key, but Consul does not have it'],
      ['info', 'unused-key', undefined, 'no running workload has this key'],
    ]);
  });

  test('are not judged by workloads where these are not known', () => {
    const findings = lint({ acl, protectedHosts: [], catalog: undefined, workloads: undefined });
    expect(findings.map(({ code }) => code)).toEqual(['empty-key']);
  });
});
