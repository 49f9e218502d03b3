/**
 * The gate's reading of what Docker wrote about a container, against the program's own reading of the same
 * container: whatever anybody puts into an environment or a label, both say the same.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { preparedName } from '../../../src/adapters/gate/names.ts';
import { parseWorkload } from '../../../src/domain/workload.ts';
import { awks, type Bundle, expectedVerdict, goJson, judge, type Verdict, writeBundle } from './bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-judge-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const said = (awk: string, bundle: Partial<Bundle>): Verdict => {
  writeBundle(folder, bundle);
  return judge(awk, folder);
};

const on = 'EGRESSTRATOR_ENABLE=1';

describe.each(awks())('with %s', (awk) => {
  beforeEach(() => rmSync(join(folder, 'run'), { recursive: true, force: true }));

  test.each<[string, Partial<Bundle>]>([
    ['nothing', {}],
    ['the variable', { environment: [on, 'EGRESSTRATOR_ACL=db, payments,db,,'] }],
    ['a value that holds the name', { environment: ['FOO=EGRESSTRATOR_ENABLE=1'] }],
    [
      'a value that holds the off switch',
      { environment: [on, 'FOO="EGRESSTRATOR_ENABLE=0"', 'BAR=","EGRESSTRATOR_ENABLE=0'] },
    ],
    ['a name that ends alike', { environment: ['MY_EGRESSTRATOR_ENABLE=1', 'XEGRESSTRATOR_ENABLE=1'] }],
    ['a name that begins alike', { environment: ['EGRESSTRATOR_ENABLED=1', 'EGRESSTRATOR_ENABLE'] }],
    ['another case', { environment: ['egresstrator_enable=1'] }],
    ['two values, the last off', { environment: [on, 'EGRESSTRATOR_ENABLE=no'] }],
    ['two values, the last on', { environment: ['EGRESSTRATOR_ENABLE=0', 'EGRESSTRATOR_ENABLE= YES '] }],
    ['a value nobody understands', { environment: ['EGRESSTRATOR_ENABLE=maybe'] }],
    ['a value of white space', { environment: ['EGRESSTRATOR_ENABLE=\u00a0\t\u2003\n'] }],
    ['off in white space', { environment: ['EGRESSTRATOR_ENABLE=\ufeff 0\u3000\r\n'] }],
    ['a line break after off', { environment: ['EGRESSTRATOR_ENABLE=0\n1'] }],
    [
      'keys with everything in them',
      { environment: [on, 'EGRESSTRATOR_ACL=a"b,c\\,d\ne,{{f}},\u2028,é,😀,$(x),`y`,7,07,<&>,"'] },
    ],
    ['a backslash at the end', { environment: [`${on}\\`, 'EGRESSTRATOR_ACL=a\\'] }],
    ['quotes and backslashes by turns', { environment: ['A=\\"\\\\"\\\\\\', on, 'B=\\'] }],
    ['audit', { environment: [on, 'EGRESSTRATOR_MODE=Audit', 'EGRESSTRATOR_DNS=NONE'] }],
    ['unknown words', { environment: [on, 'EGRESSTRATOR_MODE=audit|x', 'EGRESSTRATOR_DNS=.*'] }],
    [
      'labels',
      { labels: { 'egresstrator.enable': 'true', 'egresstrator.acl': 'db', 'egresstrator.mode': 'audit' } },
    ],
    [
      'labels of almost that name',
      { labels: { 'egresstrator.Enable': '1', egresstratorXenable: '1', 'x.egresstrator.enable': '1' } },
    ],
    [
      'a variable that is off beside a label that is on',
      { environment: ['EGRESSTRATOR_ENABLE='], labels: { 'egresstrator.enable': '1' } },
    ],
    [
      'a variable and labels',
      {
        environment: ['EGRESSTRATOR_ACL=a'],
        labels: { 'egresstrator.enable': 'on', 'egresstrator.acl': 'b', 'egresstrator.dns': 'none' },
      },
    ],
    ['a label whose value is JSON', { labels: { x: '"},"Labels":{"egresstrator.enable":"1"}' } }],
    [
      'a label in the wrong place',
      { elsewhere: { 'egresstrator.enable': '1', Config: { Labels: { 'egresstrator.enable': '1' } } } },
    ],
    ['arguments that look like an environment', { args: [on, '"env":["EGRESSTRATOR_ENABLE=1"]'] }],
    ['an annotation', { annotations: { 'egresstrator.enable': '1', env: on } }],
    [
      'a very long environment',
      {
        environment: [
          `A=${'x'.repeat(100_000)}`,
          `B=${'"\\'.repeat(20_000)}`,
          on,
          `EGRESSTRATOR_ACL=${'k,'.repeat(500)}z`,
        ],
      },
    ],
  ])('%s', (_, bundle) => {
    expect(said(awk, bundle)).toEqual(expectedVerdict(bundle));
  });

  test('anything at all', () => {
    const piece = fc.constantFrom(
      '1',
      '0',
      'on',
      'off',
      'no',
      'db',
      ',',
      ' ',
      '"',
      '\\',
      '\n',
      '=',
      'EGRESSTRATOR_ENABLE=1',
      '\\u0030',
      '\t',
      '{',
      ']',
      '\u00a0',
      '\u2028',
      'é',
      '😀',
      '<',
      '\u0001',
      '\u007f',
    );
    const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const word = fc.constantFrom('ENABLE', 'ACL', 'MODE', 'DNS', 'X', '');
    const line = fc.oneof(
      fc.tuple(word, text).map(([name, value]) => `EGRESSTRATOR_${name}=${value}`),
      text,
    );
    const label = fc
      .tuple(word, text)
      .map(([name, value]): [string, string] => [`egresstrator.${name.toLowerCase()}`, value]);
    const bundle = fc.record({
      environment: fc.array(line, { maxLength: 5 }),
      labels: fc.array(label, { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
    });
    fc.assert(
      fc.property(bundle, (one) => {
        expect(said(awk, one)).toEqual(expectedVerdict(one));
      }),
      { numRuns: 150 },
    );
  });

  test('escapes that Docker does not use mean the same', () => {
    const escaped = (json: string): string =>
      json.replace('EGRESSTRATOR_ENABLE', '\\u0045GRESSTRATOR_ENABL\\u0045').replace('db', '\\u0064\\/b');
    writeBundle(folder, { environment: [on, 'EGRESSTRATOR_ACL=db,\ud83d\ude00'] }, escaped);
    expect(judge(awk, folder)).toEqual(
      expectedVerdict({ environment: [on, 'EGRESSTRATOR_ACL=d/b,\ud83d\ude00'] }),
    );
  });

  test('indented JSON means the same', () => {
    const bundle = { environment: [on, 'EGRESSTRATOR_ACL=db'], labels: { 'egresstrator.dns': 'none' } };
    writeBundle(folder, bundle, (json) => JSON.stringify(JSON.parse(json), null, 2));
    expect(judge(awk, folder)).toEqual(expectedVerdict(bundle));
  });

  test.each([1, 40, 200])('a bundle cut short by %i bytes lets nothing start', (bytes) => {
    writeBundle(folder, { environment: [on] }, (json) => json.slice(0, -bytes));
    expect(judge(awk, folder).verdict).toMatch(/^broken .*cut short/);
  });

  test('labels that can not be found let nothing start', () => {
    writeBundle(folder, {});
    rmSync(join(folder, 'containers', 'c0ffee'), { recursive: true });
    expect(judge(awk, folder).verdict).toMatch(/^broken .*gate install/);
  });

  test("after a move of Docker's data the mounted files lead to the labels", () => {
    writeBundle(folder, { labels: { 'egresstrator.enable': '1' } });
    expect(judge(awk, folder, '/nowhere')).toEqual(
      expectedVerdict({ labels: { 'egresstrator.enable': '1' } }),
    );
  });

  test('the mode of those that name none is the one the controller wrote down', () => {
    mkdirSync(join(folder, 'run/prepared'), { recursive: true });
    writeFileSync(join(folder, 'run/prepared/mode'), 'audit\n');
    const workload = parseWorkload({ environment: [on], labels: {} }, 'audit');
    expect(workload && preparedName(workload)).toBe(said(awk, { environment: [on] }).name);
  });

  test.each<[string, string, string, string]>([
    ['plain', 'nameserver 10.0.0.2\nnameserver 2001:db8::1\n', ', 10.0.0.2', ', 2001:db8::1'],
    [
      'with loopback, scopes and junk',
      'nameserver 127.0.0.1\nnameserver fe80::1%eth0\nnameserver 1.2.3\nsearch 10.0.0.9\n',
      '',
      ', fe80::1',
    ],
    [
      'behind Docker',
      'nameserver 127.0.0.11\n# ExtServers: [10.0.0.3 host(10.0.0.4) 2001:db8::2]\n',
      ', 10.0.0.3',
      ', 2001:db8::2',
    ],
    [
      'hostile',
      'nameserver 0.0.0.0/0\nnameserver 10.0.0.1,10.0.0.2\nnameserver };flush\nnameserver 1:2:3:4:5:6:7:8:9\nnameserver 256.1.1.1\nnameserver ::g\n',
      ', 10.0.0.1, 10.0.0.2',
      '',
    ],
  ])('resolvers: %s', (_, resolvConf, ipv4, ipv6) => {
    const { resolvers4, resolvers6 } = said(awk, { environment: [on], resolvConf });
    expect([resolvers4, resolvers6]).toEqual([ipv4, ipv6]);
  });

  test('resolvers behind an Engine that does not tell: the container’s own, else the Engine’s', () => {
    const resolvConf = 'nameserver 127.0.0.11\n';
    expect(said(awk, { environment: [on], resolvConf, dns: ['10.0.0.7'] }).resolvers4).toBe(', 10.0.0.7');
    mkdirSync(join(folder, 'run/prepared'), { recursive: true });
    writeFileSync(join(folder, 'run/prepared/resolvers'), 'nameserver 10.0.0.8\n');
    expect(said(awk, { environment: [on], resolvConf }).resolvers4).toBe(', 10.0.0.8');
  });

  test.each([
    ['made for it alone', [{ type: 'pid' }, { type: 'network' }], 'own'],
    ["another container's", [{ type: 'network', path: '/proc/7/ns/net' }, { type: 'pid' }], 'shared'],
    ['none of its own', [{ type: 'pid' }], 'shared'],
  ])('a network namespace %s', (_, namespaces, network) => {
    expect(said(awk, { environment: [on], namespaces }).network).toBe(network);
  });
});

test('what Go writes is what these tests write', () => {
  expect(goJson({ a: '<&>"\\\n\u2028' })).toBe('{"a":"\\u003c\\u0026\\u003e\\"\\\\\\n\\u2028"}');
  expect(execFileSync('awk', ['BEGIN { print 1 }'], { encoding: 'utf8' })).toBe('1\n');
});
