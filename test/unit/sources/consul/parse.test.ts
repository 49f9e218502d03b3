/** Consul's JSON → rules and instances. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConsulError } from '../../../../src/common/errors.ts';
import { parsedRules, parseInstances, parseRules } from '../../../../src/sources/consul/parse.ts';

const body = (json: unknown): Buffer => Buffer.from(JSON.stringify(json));
const entry = (key: string, value: string | Buffer | null) => ({
  ...{ LockIndex: 0, Key: key, Flags: 0, CreateIndex: 1, ModifyIndex: 1 },
  Value: value === null ? null : Buffer.from(value).toString('base64'),
});

describe('rules', () => {
  const rules = (...entries: unknown[]) => parseRules(body(entries), 'egress/acl/');

  test('are the texts by what follows the path, whatever the keys look like', () => {
    const { value } = rules(
      entry('egress/acl/db', '10.0.0.1:tcp/5432\r\n'),
      entry('egress/acl/team/web', 'ü'),
      entry('egress/acl/{{ key }}.$x "y"', null),
    );
    expect([...value]).toEqual([
      ['db', '10.0.0.1:tcp/5432\r\n'],
      ['team/web', 'ü'],
      ['{{ key }}.$x "y"', ''],
    ]);
  });

  test('do not stand in folders, but folders are listed', () => {
    const { value, listed } = rules(entry('egress/acl/', null), entry('egress/acl/team/', 'x'));
    expect(value.size).toBe(0);
    expect([...listed]).toEqual(['egress/acl/', 'egress/acl/team/']);
  });

  test('keep what is UTF-8 of a text that is not', () => {
    const { value } = rules(entry('egress/acl/db', Buffer.from('good\n\xff\xfe\n', 'latin1')));
    expect(value.get('db')).toBe('good\n\uFFFD\uFFFD\n');
  });

  test('lose a byte order mark', () => {
    expect(rules(entry('egress/acl/db', '\uFEFF10.0.0.1:tcp')).value.get('db')).toBe('10.0.0.1:tcp');
  });

  test('take the biggest value that Consul stores, and more', () => {
    const big = 'x'.repeat(4_000_000);
    expect(rules(entry('egress/acl/db', big)).value.get('db')).toBe(big);
  });

  test('have one digest in any order, and another for any other content', () => {
    const contents = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.string()), {
      selector: ([key]) => key,
    });
    const shuffled = contents.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    const parse = (list: (readonly [string, string])[]) =>
      rules(...list.map(([key, text]) => entry(`egress/acl/${key}`, text)));
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(parse(other).digest).toBe(parse(one).digest);
        expect(parse([...one, ['another/one', 'x']]).digest).not.toBe(parse(one).digest);
      }),
    );
  });

  test('have the digest of what a previous run remembers', () => {
    const parsed = rules(entry('egress/acl/db', 'x'), entry('egress/acl/a', 'y'));
    expect(parsedRules(parsed.value, 'egress/acl/')).toEqual(parsed);
  });

  test.each([
    ['no JSON', Buffer.from('<html>'), 'it is not JSON'],
    ['nothing', Buffer.alloc(0), 'it is not JSON'],
    ['no list', body({ Key: 'x' }), 'at its top'],
    ['a list of something else', body([null]), 'at 0'],
    ['a value that is no base64', body([{ ...entry('egress/acl/db', ''), Value: '*' }]), 'at 0.Value'],
    ['a key that was not asked for', body([entry('egress/other', 'x')]), 'it holds "egress/other"'],
  ])('that are %s are an error', (_name, given, why) => {
    const parse = () => parseRules(given, 'egress/acl/');
    expect(parse).toThrow(ConsulError);
    expect(parse).toThrow(
      `The answer for the keys below egress/acl/ is not a valid answer of Consul (${why}`,
    );
    expect(parse).toThrow('check that --consul (CONSUL_HTTP_ADDR) is');
  });
});

describe('instances', () => {
  const inCatalog = (more: object = {}) => ({
    ...{
      Node: 'n1',
      Address: '10.0.0.1',
      ServiceAddress: '10.0.0.2',
      ServicePort: 5432,
      ServiceTags: ['b', 'a'],
    },
    ...more,
  });
  const one = (more: object) => parseInstances(body([inCatalog(more)]), 'service pg', 'any').value[0];

  test('have their own address, port and sorted tags', () => {
    expect(one({})).toEqual({ address: '10.0.0.2', port: 5432, tags: ['a', 'b'], node: 'n1' });
  });

  test('have their node’s address where they have none', () => {
    expect(one({ ServiceAddress: '' })?.address).toBe('10.0.0.1');
    expect(one({ ServiceAddress: undefined })?.address).toBe('10.0.0.1');
  });

  test('may have names for addresses, no tags, and ports that are none', () => {
    expect(one({ ServiceAddress: 'db.internal', ServiceTags: null, ServicePort: 70_000 })).toEqual({
      ...{ address: 'db.internal', port: 0, tags: [], node: 'n1' },
    });
  });

  test('are the same from the health endpoint', () => {
    const health = body([
      {
        Node: { Node: 'n1', Address: '10.0.0.1' },
        Service: { Address: '10.0.0.2', Port: 5432, Tags: ['b', 'a'] },
        Checks: [],
      },
    ]);
    expect(parseInstances(health, 'service pg', 'passing')).toEqual(
      parseInstances(body([inCatalog()]), 'service pg', 'any'),
    );
  });

  test('have one digest in any order', () => {
    const list = [inCatalog(), inCatalog({ Node: 'n2' }), inCatalog({ ServicePort: 1 })];
    expect(parseInstances(body(list.toReversed()), 'service pg', 'any')).toEqual(
      parseInstances(body(list), 'service pg', 'any'),
    );
  });

  test('of another shape are an error', () => {
    expect(() => parseInstances(body([{ Node: 'n1' }]), 'service pg', 'any')).toThrow(
      'The answer for service pg is not a valid answer',
    );
    expect(() => parseInstances(body(null), 'service pg', 'passing')).toThrow(ConsulError);
  });
});
