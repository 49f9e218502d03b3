/**
 * The gate's reading of what Docker wrote about a container, against the program's own reading of the same
 * container: whatever anybody puts into an environment or a label, both say the same.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { preparedName } from '../../../src/gate/names.ts';
import { parseWorkload } from '../../../src/inventory/workload.ts';
import { type Vector, vectors } from '../../support/settings-vectors.ts';
import {
  awks,
  type Bundle,
  type Decision,
  decide,
  decisionOf,
  expectedDecision,
  goJson,
  runAwk,
  writeBundle,
} from './bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-decide-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const resultOf = (awk: string, bundle: Partial<Bundle>): Decision => {
  writeBundle(folder, bundle);
  return decide(awk, folder);
};

const on = 'EGRESSTRATOR_ENABLE=1';

const bundleOf = ({ environment, labels, image }: Vector): Partial<Bundle> => ({
  ...{ environment, labels },
  image: image === 'unknown' ? null : { Env: image?.environment ?? [], Labels: image?.labels ?? {} },
});

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
    ['ingress keys alone', { environment: ['EGRESSTRATOR_INGRESS=web, metrics,web'] }],
    ['no ingress key', { environment: ['EGRESSTRATOR_INGRESS='] }],
    ['ingress keys by a label', { labels: { 'egresstrator.ingress': 'web' } }],
    [
      'ingress keys beside others',
      { environment: [on, 'EGRESSTRATOR_ACL=db', 'EGRESSTRATOR_INGRESS=db,web'] },
    ],
    ['ingress keys with line breaks', { environment: [on, 'EGRESSTRATOR_INGRESS=a\nend\nb,ingress 3'] }],
    ['ingress keys, and off', { environment: ['EGRESSTRATOR_ENABLE=0', 'EGRESSTRATOR_INGRESS=web'] }],
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
    [
      'an image that would turn it off',
      {
        environment: ['EGRESSTRATOR_ENABLE=0'],
        labels: { 'egresstrator.enable': '1' },
        image: { Env: ['EGRESSTRATOR_ENABLE=0'] },
      },
    ],
    [
      'an image that asks for other keys, and for audit',
      {
        environment: [on, 'EGRESSTRATOR_ACL=all', 'EGRESSTRATOR_MODE=audit'],
        labels: { 'egresstrator.acl': 'db' },
        image: { Env: ['EGRESSTRATOR_ACL=all', 'EGRESSTRATOR_MODE=audit'], Labels: {} },
      },
    ],
    [
      'an image that asks for keys, with nobody else doing so',
      {
        environment: [on],
        labels: { 'egresstrator.acl': 'a"b', 'egresstrator.mode': 'audit' },
        image: {
          Env: ['X="config":{"Env":["EGRESSTRATOR_ACL=x'],
          Labels: { 'egresstrator.acl': 'a"b', 'egresstrator.mode': 'audit' },
        },
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
    expect(resultOf(awk, bundle)).toEqual(expectedDecision(bundle));
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
    const word = fc.constantFrom('ENABLE', 'ACL', 'MODE', 'DNS', 'INGRESS', 'X', '');
    const line = fc.oneof(
      fc.tuple(word, text).map(([name, value]) => `EGRESSTRATOR_${name}=${value}`),
      text,
    );
    const label = fc
      .tuple(word, text)
      .map(([name, value]): [string, string] => [`egresstrator.${name.toLowerCase()}`, value]);
    const environments = fc.array(line, { maxLength: 5 });
    const labelled = fc.array(label, { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
    // Beyond ASCII the gate may take the image's word for more than the controller does.
    const isAscii = (text: unknown) => !/[\u0080-\uffff]/.test(JSON.stringify(text));
    const image = fc.record({ Env: environments, Labels: labelled }).filter(isAscii);
    // The Engine mixes what the image says into what the container says.
    const bundle = fc.tuple(environments, labelled, image).map(([environment, labels, { Env, Labels }]) => ({
      environment: [...Env, ...environment],
      labels: { ...Labels, ...labels },
      image: { Env, Labels },
    }));
    fc.assert(
      fc.property(bundle, (one) => {
        expect(resultOf(awk, one)).toEqual(expectedDecision(one));
      }),
      { numRuns: 200 },
    );
  });

  test('escapes that Docker does not use mean the same', () => {
    const escaped = (json: string): string =>
      json.replace('EGRESSTRATOR_ENABLE', '\\u0045GRESSTRATOR_ENABL\\u0045').replace('db', '\\u0064\\/b');
    writeBundle(folder, { environment: [on, 'EGRESSTRATOR_ACL=db,\ud83d\ude00'] }, escaped);
    expect(decide(awk, folder)).toEqual(
      expectedDecision({ environment: [on, 'EGRESSTRATOR_ACL=d/b,\ud83d\ude00'] }),
    );
  });

  test('indented JSON means the same', () => {
    const bundle = { environment: [on, 'EGRESSTRATOR_ACL=db'], labels: { 'egresstrator.dns': 'none' } };
    writeBundle(folder, bundle, (json) => JSON.stringify(JSON.parse(json), null, 2));
    expect(decide(awk, folder)).toEqual(expectedDecision(bundle));
  });

  test.each([1, 40, 200])('a bundle cut short by %i bytes lets nothing start', (bytes) => {
    writeBundle(folder, { environment: [on] }, (json) => json.slice(0, -bytes));
    expect(decide(awk, folder).decision).toMatch(/^failed .*cut short/);
  });

  test('labels that cannot be found let nothing start', () => {
    writeBundle(folder, {});
    rmSync(join(folder, 'containers', 'c0ffee'), { recursive: true });
    expect(decide(awk, folder).decision).toMatch(/^failed .*gate install/);
  });

  test("after a move of Docker's data the mounted files lead to the labels", () => {
    writeBundle(folder, { labels: { 'egresstrator.enable': '1' } });
    expect(decide(awk, folder, { containers: '/nowhere' })).toEqual(
      expectedDecision({ labels: { 'egresstrator.enable': '1' } }),
    );
  });

  test('the mode of those that name none is the one the controller wrote down', () => {
    mkdirSync(join(folder, 'run/prepared'), { recursive: true });
    writeFileSync(join(folder, 'run/prepared/mode'), 'audit\n');
    const workload = parseWorkload({ environment: [on], labels: {} }, 'audit');
    expect(workload && preparedName(workload)).toBe(resultOf(awk, { environment: [on] }).name);
  });

  const engines =
    'nameserver 10.0.0.2\nnameserver 2001:DB8::1\nnameserver 10.0.0.3\nnameserver fe80::1%eth0\n';
  const resolversFor = (resolvConf: string, dns: readonly string[] = []) => {
    mkdirSync(join(folder, 'run/prepared'), { recursive: true });
    writeFileSync(join(folder, 'run/prepared/resolvers'), engines);
    const { resolvers4, resolvers6 } = resultOf(awk, { environment: [on], resolvConf, dns });
    return [resolvers4, resolvers6];
  };

  test.each<[string, string, string, string]>([
    ['plain', 'nameserver 10.0.0.2\nnameserver 2001:db8::1\n', ', 10.0.0.2', ', 2001:db8::1'],
    [
      'with loopback, scopes and junk',
      'nameserver 127.0.0.1\nnameserver fe80::1%eth1\nnameserver 1.2.3\nsearch 10.0.0.2\n',
      ...(['', ', fe80::1'] as const),
    ],
    [
      'behind Docker',
      'nameserver 127.0.0.11\n# ExtServers: [10.0.0.3 host(10.0.0.2) 2001:db8::1]\n',
      ...([', 10.0.0.3', ', 2001:db8::1'] as const),
    ],
    [
      'behind an Engine that does not tell to whom it forwards',
      'nameserver 127.0.0.11\n',
      ...([', 10.0.0.2, 10.0.0.3', ', 2001:db8::1, fe80::1'] as const),
    ],
    [
      'that root inside has added to',
      'nameserver 10.0.0.3\nnameserver 203.0.113.9\nnameserver 0.0.0.0/0\nnameserver };flush\nnameserver ::g\n',
      ...([', 10.0.0.3', ''] as const),
    ],
    ['there are none', '', '', ''],
  ])('resolvers: %s', (_, resolvConf, ipv4, ipv6) => {
    expect(resolversFor(resolvConf)).toEqual([ipv4, ipv6]);
  });

  test.each([
    [
      'are the given ones',
      ['192.0.2.7', '127.0.0.1'],
      'nameserver 192.0.2.7\nnameserver 10.0.0.2\n',
      ', 192.0.2.7',
    ],
    [
      'are all given ones behind Docker',
      ['192.0.2.7', '192.0.2.8'],
      'nameserver 127.0.0.11\n',
      ', 192.0.2.7, 192.0.2.8',
    ],
    ['are none of the Engine', ['192.0.2.7'], 'nameserver 10.0.0.2\n', ''],
    [
      'are no words of nft',
      ['0.0.0.0/0', '};flush', '1:2:3:4:5:6:7:8:9', '256.1.1.1'],
      'nameserver 127.0.0.11\n',
      '',
    ],
  ])('resolvers that --dns gives %s', (_, dns, resolvConf, ipv4) => {
    expect(resolversFor(resolvConf, dns)).toEqual([ipv4, '']);
  });

  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    mkdirSync(join(folder, 'run/prepared'), { recursive: true });
    writeFileSync(join(folder, 'run/prepared/mode'), `${vector.defaultMode}\n`);
    expect(resultOf(awk, bundleOf(vector))).toEqual(decisionOf(vector.expected, vector.ingress));
  });

  /** One image, in forms that Docker reads as the same. */
  test.each<[string, (json: string) => string | Uint8Array]>([
    ['keys in another case', (json) => json.replace('"config"', '"CONFIG"').replace('"Env"', '"eNV"')],
    ['keys with letters that Go folds', (json) => json.replace('"Labels"', '"Label\u017f"')],
    [
      'keys with escapes',
      (json) => json.replace('"config"', '"\\u0063onfig"').replace('"Env"', '"\\u0045nv"'),
    ],
    ['values with escapes', (json) => json.replaceAll('EGRESSTRATOR', '\\u0045GRESSTR\\u0041TOR')],
    ['names of labels with escapes', (json) => json.replaceAll('egresstrator', 'egresstr\\u0061tor')],
    ['keys twice', (json) => json.replace('"config":', '"config":{"Env":["X=1"],"Labels":{}},"config":')],
    ['white space', (json) => JSON.stringify(JSON.parse(json), null, 2).replaceAll('\n', '\r\n\t ')],
    ['a line for each character', (json) => json.replace('{', `{${'\n'.repeat(1_000_000)}`)],
    [
      'much else',
      (json) => json.replace('{', `{"history":[${'{"created_by":"x\\"\\\\"},'.repeat(20_000)}{}],`),
    ],
    ['more than is read', (json) => json.replace('{', `{"author":"${'x'.repeat(5_000_000)}",`)],
    ['nothing but white space before it', (json) => `\n\n ${json}`],
  ])('an image that is written with %s hides nothing', (_, change) => {
    const Env = ['EGRESSTRATOR_ENABLE=0', 'EGRESSTRATOR_ACL=all', 'EGRESSTRATOR_MODE=audit'];
    const Labels = { 'egresstrator.acl': 'db', 'egresstrator.dns': 'resolvers' };
    const labels = { ...Labels, 'egresstrator.enable': '1', 'egresstrator.mode': 'enforce' };
    writeBundle(folder, { environment: Env, labels, image: { Env, Labels } }, undefined, change);
    expect(decide(awk, folder)).toEqual(decisionOf({ grants: [], mode: 'enforce', dns: 'resolvers' }));
  });

  test.each([
    ['no UTF-8', Buffer.from('EGRESSTRATOR_MODE=audit\xff', 'latin1'), 'audit\ufffd'],
    ['half a surrogate pair', Buffer.from('EGRESSTRATOR_MODE=audit\\ud800'), 'audit\ufffd'],
    ['a zero', Buffer.from('EGRESSTRATOR_MODE=audit\\u0000'), 'audit\u0000'],
  ])('an image whose value holds %s, which Docker replaces, said it all the same', (_, bytes, value) => {
    const change = (json: string) => {
      const [before = '', after = ''] = json.split('EGRESSTRATOR_MODE=x');
      return Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
    };
    const environment = [on, `EGRESSTRATOR_MODE=${value}`];
    writeBundle(folder, { environment, image: { Env: ['EGRESSTRATOR_MODE=x'] } }, undefined, change);
    expect(decide(awk, folder)).toEqual(decisionOf({ grants: [], mode: 'enforce', dns: 'resolvers' }));
  });

  test('a label without a value, which Docker takes for an empty one, may be any', () => {
    const labels = { 'egresstrator.enable': '1', 'egresstrator.mode': '' };
    const image = { Labels: { 'egresstrator.mode': 'x' } };
    const change = (json: string) => json.replace('"x"', 'null');
    writeBundle(folder, { labels, image, environment: ['EGRESSTRATOR_MODE=audit'] }, undefined, change);
    expect(decide(awk, folder)).toEqual(decisionOf({ grants: [], mode: 'audit', dns: 'resolvers' }));
    writeBundle(folder, { labels: { ...labels, 'egresstrator.mode': 'audit' }, image }, undefined, change);
    expect(decide(awk, folder)).toEqual(decisionOf({ grants: [], mode: 'enforce', dns: 'resolvers' }));
  });

  describe('CAP_NET_RAW', () => {
    const defaults = ['CAP_CHOWN', 'CAP_NET_RAW', 'CAP_KILL'];
    const without = join(folder, 'without.json');
    const capabilitiesOf = (file: string) => JSON.parse(readFileSync(file, 'utf8')).process.capabilities;
    beforeEach(() => rmSync(without, { force: true }));

    test.each<[string, Partial<Bundle>, string]>([
      ['given by default', { capabilities: defaults }, 'given'],
      ['not there', { capabilities: ['CAP_CHOWN'], args: ['CAP_NET_RAW'] }, 'none'],
      ['asked for', { capabilities: defaults, capAdd: ['NET_RAW'] }, 'asked'],
      [
        'asked for by its long name',
        { capabilities: defaults, capAdd: ['SYS_TIME', 'cap_net_raw'] },
        'asked',
      ],
      ['asked for with all others', { capabilities: defaults, capAdd: ['ALL'] }, 'asked'],
      ['that of one who may change rules', { capabilities: [...defaults, 'CAP_NET_ADMIN'] }, 'asked'],
    ])('is %s', (_, bundle, raw) => {
      writeBundle(folder, { environment: [on], ...bundle });
      expect(decide(awk, folder, { without }).raw).toBe(raw);
      expect(existsSync(without)).toBe(raw === 'given');
    });

    test.each([[defaults], [['CAP_NET_RAW']], [['CAP_NET_RAW', 'CAP_KILL']], [['CAP_KILL', 'CAP_NET_RAW']]])(
      'is taken from %j, and all else stays',
      (capabilities) => {
        const bundle = {
          environment: [on, 'A="CAP_NET_RAW","', 'B=\\', 'CAP_NET_RAW'],
          args: ['CAP_NET_RAW', '"bounding":["CAP_NET_RAW"]'],
        };
        for (const change of [
          (json: string) => json,
          (json: string) => JSON.stringify(JSON.parse(json), null, 2),
        ]) {
          writeBundle(folder, { ...bundle, capabilities }, change);
          decide(awk, folder, { without });
          const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
          const left = capabilities.filter((name) => name !== 'CAP_NET_RAW');
          config.process.capabilities = { bounding: left, effective: left, permitted: left };
          expect(JSON.parse(readFileSync(without, 'utf8'))).toEqual(config);
        }
      },
    );

    test('is not taken from others', () => {
      writeBundle(folder, { capabilities: defaults });
      expect(decide(awk, folder, { without })).toEqual({ decision: 'pass' });
      expect(existsSync(without)).toBe(false);
      expect(capabilitiesOf(join(folder, 'config.json')).bounding).toEqual(defaults);
    });

    const executed = (capabilities: readonly string[]) => {
      const file = join(folder, 'process.json');
      const process = {
        args: ['CAP_NET_RAW'],
        env: ['"capabilities":{"a":["CAP_NET_RAW"]}'],
        capabilities: { bounding: capabilities },
      };
      writeFileSync(file, goJson(process));
      expect(runAwk(awk, ['files', 'json', 'process'], [file, without])).toBe('');
      if (!existsSync(without)) return undefined;
      const { capabilities: left, ...rest } = JSON.parse(readFileSync(without, 'utf8'));
      expect(rest).toEqual({ args: process.args, env: process.env });
      return left.bounding;
    };

    test.each([
      ['is taken', defaults, ['CAP_CHOWN', 'CAP_KILL']],
      ['is left where it is not', ['CAP_CHOWN'], undefined],
      ['is left to who may change rules', [...defaults, 'CAP_NET_ADMIN'], undefined],
    ])('of a process that is executed %s', (_, capabilities, left) => {
      expect(executed(capabilities)).toEqual(left);
    });

    test('of a process that cannot be read is reported', () => {
      const file = join(folder, 'process.json');
      writeFileSync(file, '{"capabilities":{"bounding":["CAP_NET_RAW"');
      expect(runAwk(awk, ['files', 'json', 'process'], [file, without])).toMatch(/^failed .*cut short\n$/);
    });
  });

  test.each([
    ['made for it alone', [{ type: 'pid' }, { type: 'network' }], 'own'],
    ["another container's", [{ type: 'network', path: '/proc/7/ns/net' }, { type: 'pid' }], 'shared'],
    ['none of its own', [{ type: 'pid' }], 'shared'],
  ])('a network namespace %s', (_, namespaces, network) => {
    expect(resultOf(awk, { environment: [on], namespaces }).network).toBe(network);
  });
});

test('what Go writes is what these tests write', () => {
  expect(goJson({ a: '<&>"\\\n\u2028' })).toBe('{"a":"\\u003c\\u0026\\u003e\\"\\\\\\n\\u2028"}');
  expect(execFileSync('awk', ['BEGIN { print 1 }'], { encoding: 'utf8' })).toBe('1\n');
});
