/** What explain, denied, suggest and diff say of rules by name. */
import { describe, expect, it } from 'vitest';
import { formatDeniedNames, formatOneName } from '../../../src/cli/format/denied-names.ts';
import { ExplainReply } from '../../../src/daemon/api/explain-schema.ts';
import { deniedAnswer } from '../../../src/diagnostics/denied-answer.ts';
import { nameChanges } from '../../../src/diagnostics/diff-names.ts';
import { explainAnswer } from '../../../src/diagnostics/explain-answer.ts';
import type { NamespaceView, Snapshot } from '../../../src/diagnostics/snapshot.ts';
import { catalogIndex } from '../../../src/diagnostics/suggest.ts';
import { suggestAnswer } from '../../../src/diagnostics/suggest-answer.ts';
import type { DeniedName, NamesReport } from '../../../src/features/names/name-report.ts';
import { formatExplanation, formatHost } from '../../../src/format/explain.ts';
import { formatNameLines } from '../../../src/format/explain-names.ts';
import { formatKey, formatSuggestions } from '../../../src/format/suggest.ts';
import type { Acl, AclKey } from '../../../src/policy/acl.ts';
import { parseNameRule } from '../../../src/policy/name-rule.ts';
import { snapshotOf } from '../../support/snapshot.ts';
import { nameRule } from '../features/names/names.ts';

const plain = (_colour: unknown, text: string) => text;

const keyOf = (key: string, ...texts: readonly string[]): AclKey => ({
  ...{ key, text: texts.join('\n'), problems: [] },
  rules: texts.map((text, index) => ({ line: index + 1, text, rule: nameRule(text) })),
});
const aclOf = (...keys: readonly AclKey[]): Acl => new Map(keys.map((one) => [one.key, one]));

const ACL = aclOf(
  keyOf('pay', 'api.example.com:tcp/443', '**.cdn.example:tcp/80,443', 'db.corp.example@10.0.0.0/8:tcp/5432'),
  keyOf('other', '*.example.org:tcp/443'),
);

/** A minute before noon, in whatever time zone. */
const NOW = new Date(2026, 0, 1, 11, 59).getTime();
const minutes = (count: number) => NOW + count * 60_000;

const denied = (name: string, more: Partial<DeniedName> = {}): DeniedName => ({
  ...{ name, cause: 'name', types: ['A', 'AAAA'], count: 3, firstSeenAt: NOW - 60_000, lastSeenAt: NOW },
  ...more,
});

const report = (more: Partial<NamesReport> = {}): NamesReport => ({
  ...{ state: 'answering', reasons: [], denied: [], unlisted: 0, unanswered: 0, dropped: 0 },
  grants: [
    { name: 'api.example.com', address: '198.51.100.7', ports: 'tcp/443', until: minutes(4) },
    { name: 'x.cdn.example', address: '198.51.100.7', ports: 'tcp/80,443', until: minutes(9) },
  ],
  counts: {
    ...{ asked: 0, answered: 0, malformed: 0 },
    denied: { name: 0, type: 0, fresh: 0, address: 0, limit: 0, failed: 0 },
  },
  ...more,
});

const snapshot = (more: Partial<NamespaceView> = {}, known: Partial<Snapshot> = {}): Snapshot => ({
  ...snapshotOf({
    namespaces: [
      {
        ...{ workloads: ['shop'], ids: ['c1'], target: 'shop', grants: ['pay'], mode: 'enforce' },
        ...{ dns: 'names', state: 'protected', names: report(), ...more },
      },
    ],
  }),
  ...{ acl: ACL, ...known },
});

/** The answer as it comes from the API, in words. */
const explain = (words: string, where = snapshot()): string => {
  const [target = '', traffic] = words.split(' ');
  const index = catalogIndex(where);
  const answer = explainAnswer({ container: 'shop', target, traffic }, where, () => index);
  const { explained } = ExplainReply.parse(answer);
  if ('host' in explained) return formatHost(explained);
  if ('name' in explained) return formatNameLines(explained);
  return explained.explanations.map((one) => formatExplanation(explained, one, plain)).join('\n');
};

describe('explain', () => {
  it.each([
    'api.example.com tcp/443',
    'API.example.com:443',
    'api.example.com:tcp/443',
    'api.example.com. tcp/443',
  ])('of %s tells the line, and the addresses that are granted now', (words) => {
    expect(explain(words)).toBe(
      [
        'shop may reach api.example.com tcp/443.',
        '  key pay line 1: api.example.com:tcp/443',
        '  198.51.100.7 tcp/443 is granted until 12:03',
      ].join('\n'),
    );
  });

  it('of a name that was not asked yet tells that', () => {
    expect(explain('y.cdn.example tcp/80')).toBe(
      [
        'shop may reach y.cdn.example tcp/80.',
        '  key pay line 2: **.cdn.example:tcp/80,443',
        '  No address is granted now: one is when it asks for the name.',
      ].join('\n'),
    );
  });

  it('of a name that has no address that may be granted tells why', () => {
    const why = { cause: 'address', reason: '10.0.0.9: it is private' } as const;
    const asked = snapshot({ names: report({ grants: [], denied: [denied('api.example.com', why)] }) });
    const message =
      '  No address is granted now: it asked for the name 3 times in the last hour: no rule grants its addresses (10.0.0.9: it is private).';
    expect(explain('api.example.com tcp/443', asked).split('\n')[2]).toBe(message);
    expect(explain('api.example.com', asked).split('\n')[2]).toBe(message);
  });

  it('of a name that was asked before there was a rule does not tell that none is about it', () => {
    const asked = snapshot({ names: report({ denied: [denied('y.cdn.example')] }) });
    expect(explain('y.cdn.example tcp/80', asked)).toContain('one is when it asks for the name.');
  });

  it('of a name alone tells all lines', () => {
    expect(explain('api.example.com')).toBe(
      [
        'shop may reach api.example.com by:',
        '  key pay line 1: api.example.com:tcp/443',
        '  198.51.100.7 tcp/443 is granted until 12:03',
      ].join('\n'),
    );
    expect(explain('www.example.com')).toContain('shop has no rule about www.example.com.');
  });

  it('of a granted address tells its names', () => {
    expect(explain('198.51.100.7 tcp/443')).toBe(
      [
        'shop may reach 198.51.100.7 tcp/443.',
        '  Address of api.example.com (tcp/443), granted until 12:03.',
        '  Address of x.cdn.example (tcp/80,443), granted until 12:08.',
      ].join('\n'),
    );
    expect(explain('198.51.100.7')).toContain(
      '  Address of x.cdn.example (tcp/80,443), granted until 12:08.',
    );
    expect(explain('198.51.100.7 tcp/81')).toContain('shop may not reach');
    expect(explain('198.51.100.7 udp/443')).toContain('shop may not reach');
    expect(explain('198.51.100.8 tcp/443')).toContain('shop may not reach');
  });

  it('tells what would allow a name, and that it was asked', () => {
    const asked = { names: report({ denied: [denied('www.example.org')] }) };
    expect(explain('www.example.org tcp/443', snapshot(asked))).toBe(
      [
        'shop may not reach www.example.org tcp/443.',
        '  It asked for the name 3 times in the last hour: no rule is about it.',
        'To allow it, one of:',
        '  add other to EGRESSTRATOR_ACL of shop: its line 1 (*.example.org:tcp/443) allows it',
        '  put www.example.org:tcp/443 into its key pay',
        'EGRESSTRATOR_ACL is read when a container is created, so create it again; until then: egresstrator set shop --rules pay,other.',
      ].join('\n'),
    );
    expect(explain('api.example.com tcp/80')).toContain(
      'Key pay line 1 is about it: api.example.com:tcp/443',
    );
  });

  it.each([
    [{ dns: 'none' as const }, {}, 'it has no DNS; egresstrator status tells why'],
    [{ dns: 'resolvers' as const }, {}, 'it asks resolvers of its own; egresstrator status tells why'],
    [{ names: report({ state: 'unavailable', reasons: ['no nsenter'] }) }, {}, 'no nsenter'],
    [{}, { denylist: true }, 'the template denylist has no rules by name'],
    [
      { state: undefined, names: undefined },
      {},
      'no controller runs here, which answers names; addresses that one has granted stay until their time is over',
    ],
  ])('tells why rules by name grant nothing: %o %o', (namespace, known, reason) => {
    const where = snapshot(namespace, known);
    expect(explain('api.example.com tcp/443', where)).toContain(
      `shop may not reach api.example.com tcp/443.\n  Its rules by name grant nothing: ${reason}.`,
    );
    expect(explain('api.example.com', where)).toContain(`cannot reach api.example.com by name: ${reason}.`);
  });

  it('of an address without a controller tells that names may have granted it', () => {
    const where = snapshot({ state: undefined, names: undefined });
    expect(explain('198.51.100.7 tcp/443', where)).toContain(
      'shop may not reach 198.51.100.7 tcp/443.\n  Its rules by name grant nothing: no controller runs here',
    );
    expect(explain('198.51.100.7 tcp/444', where)).not.toContain('rules by name');
    expect(explain('198.51.100.7 tcp/444')).not.toContain('rules by name');
  });

  it('of a resolver tells that none is needed', () => {
    expect(explain('192.0.2.53 udp/53', snapshot({ resolvers: ['192.0.2.53'] }))).toContain(
      'Its names are answered without it (EGRESSTRATOR_DNS=names)',
    );
  });

  it.each([
    ['*.example.com tcp/443', 'expected one name'],
    ['api.example.com tcp/1-9', 'expected one port'],
    ['api.example.com icmp/8', 'expected tcp or udp after a name'],
    ['production.postgresql tcp/5432', 'the port of a service comes from Consul'],
  ])('of %s is an error', (words, message) => expect(() => explain(words)).toThrow(message));
});

const reports = (...containers: readonly string[]) =>
  containers.map((container) => ({
    ...{ container, workloads: [container], mode: 'enforce' as const, destinations: [], readAt: NOW },
  }));

describe('denied', () => {
  const where = snapshot({
    names: report({
      denied: [
        denied('www.example.org', { types: ['A'] }),
        denied('db.corp.example', { cause: 'address', reason: '192.168.0.1: it is not in 10.0.0.0/8' }),
      ],
    }),
  });

  it('has the names that were asked, with the keys that allow them', () => {
    const { names = [] } = deniedAnswer(reports('shop'), where, catalogIndex(where));
    expect(names.map(({ name, keys }) => [name, keys])).toEqual([
      ['www.example.org', ['other']],
      ['db.corp.example', []],
    ]);
    expect(
      formatDeniedNames(names, NOW, plain)
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/)),
    ).toEqual([
      ['CONTAINER', 'NAME', 'ASKED', 'LAST SEEN', 'TYPE', 'WHY', 'ALLOWED BY KEY'],
      ['shop', 'www.example.org', '3 times', '0s ago', 'A', 'no rule is about it', 'other'],
      [
        'shop',
        'db.corp.example',
        '3 times',
        '0s ago',
        'A, AAAA',
        '192.168.0.1: it is not in 10.0.0.0/8',
        '-',
      ],
    ]);
  });

  it('has each in a line of its own for --follow', () => {
    const { names = [] } = deniedAnswer(reports('shop'), where, undefined);
    expect(names.map((one) => formatOneName(one, '11:59:00'))).toEqual([
      '11:59:00 shop www.example.org (no rule is about it)',
      '11:59:00 shop db.corp.example (192.168.0.1: it is not in 10.0.0.0/8)',
    ]);
  });

  it('has those of the chosen container alone, and none where none was asked', () => {
    expect(deniedAnswer(reports('web'), where, undefined)).not.toHaveProperty('names');
    expect(deniedAnswer(reports('shop'), snapshot(), undefined)).not.toHaveProperty('names');
  });
});

describe('suggest', () => {
  const where = snapshot({
    names: report({
      denied: [
        denied('www.example.org', { count: 12 }),
        denied('db.corp.example', { cause: 'address', reason: '192.168.0.1: it is private, and …' }),
        denied('v6.corp.example', { cause: 'address', reason: 'fd00::1: it is private, and …' }),
        denied('slow.example.org', { cause: 'failed', reason: 'no resolver answered' }),
        denied('a\\.b.example.org'),
        denied('localhost'),
      ],
    }),
  });
  const { suggestions } = suggestAnswer(undefined, reports('shop'), where, catalogIndex(where));

  it('has the rule for each name that a rule could allow', () => {
    expect(formatSuggestions(suggestions, false, 'none')).toBe(
      [
        '# shop: 0 denied destinations, 3 denied names',
        'www.example.org:tcp/443  # asked 12 times; the port is assumed',
        'db.corp.example@192.168.0.1:tcp/443  # asked 3 times; the port is assumed',
        'v6.corp.example@[fd00::1]:tcp/443  # asked 3 times; the port is assumed',
      ].join('\n'),
    );
    for (const { rule } of suggestions.flatMap(({ lines }) => lines))
      expect(parseNameRule(rule)).toMatchObject({ warnings: [] });
  });

  it('has no rule that the key has already', () => {
    const held = { ...where, acl: aclOf(...ACL.values(), keyOf('web', 'www.example.org:tcp/443')) };
    const [one] = suggestAnswer('web', reports('shop'), held, catalogIndex(held)).suggestions;
    expect(one?.lines.map(({ rule }) => rule)).not.toContain('www.example.org:tcp/443');
    expect(formatKey('x', suggestions)).toContain('www.example.org:tcp/443');
  });

  it('has nothing where nothing was denied', () => {
    const quiet = snapshot();
    expect(suggestAnswer(undefined, reports('shop'), quiet, catalogIndex(quiet)).suggestions).toEqual([]);
  });
});

describe('diff', () => {
  const change = (after: readonly string[], ...others: readonly string[]) =>
    nameChanges(
      keyOf('pay', ...after),
      aclOf(keyOf('pay', 'api.example.com:tcp/80,443'), keyOf('more', ...others)),
      ['pay', 'more'],
    );

  it.each([
    [['api.example.com:tcp/443,80'], [], [], []],
    [['www.example.com:tcp/443'], [], ['www.example.com:tcp/443'], ['api.example.com:tcp/80,443']],
    [['api.example.com:tcp/443'], [], [], ['api.example.com:tcp/80,443']],
    [['**.example.com:tcp/1-500'], [], ['**.example.com:tcp/1-500'], []],
    [['*.example.com:tcp/80,443'], [], ['*.example.com:tcp/80,443'], []],
    [['*.api.example.com:tcp/80,443'], [], ['*.api.example.com:tcp/80,443'], ['api.example.com:tcp/80,443']],
    [[], ['**.example.com:tcp/80-443'], [], []],
    [
      [],
      ['*.api.example.com:tcp/80-443', '**.api.example.com:tcp/80-443'],
      [],
      ['api.example.com:tcp/80,443'],
    ],
    [
      ['api.example.com@10.0.0.0/8:tcp/80,443'],
      [],
      ['api.example.com@10.0.0.0/8:tcp/80,443'],
      ['api.example.com:tcp/80,443'],
    ],
  ])('to %j beside %j gains %j and loses %j', (after, others, gained, lost) => {
    expect(change(after, ...others)).toEqual({ gained, lost });
  });
});
