import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { TYPE } from '../../../../src/dns/codes.ts';
import { sameName } from '../../../../src/dns/name.ts';
import type { DnsRecord } from '../../../../src/dns/record.ts';
import { followChain, MOST_STEPS } from '../../../../src/features/names/chain.ts';
import { address, addressRecord, aliasRecord, dotted } from './names.ts';

const A = { name: dotted('a.test'), type: TYPE.A };
const a = (name: string, to = '192.0.2.1') => addressRecord(dotted(name), address(to));
const alias = (name: string, target: string) => aliasRecord(dotted(name), dotted(target));
const tree = (name: string, target: string) => aliasRecord(dotted(name), dotted(target), TYPE.DNAME);

const long = 'x'.repeat(60);

describe('the chain of an answer', () => {
  const other = a('other.test');
  test.each<[string, readonly DnsRecord[], readonly number[], string]>([
    ['of addresses alone', [a('a.test'), a('a.test', '192.0.2.2')], [0, 1], 'a.test'],
    ['of an alias', [alias('a.test', 'b.test'), a('b.test')], [0, 1], 'b.test'],
    [
      'in any order',
      [a('c.test'), alias('b.test', 'c.test'), alias('a.test', 'b.test')],
      [2, 1, 0],
      'c.test',
    ],
    ['without other records', [other, alias('x.test', 'a.test'), a('a.test'), other], [2], 'a.test'],
    [
      'without addresses of names that it passes',
      [alias('a.test', 'b.test'), a('a.test'), a('b.test')],
      [0, 2],
      'b.test',
    ],
    ['without other types', [{ ...a('a.test'), type: TYPE.TXT }, a('a.test')], [1], 'a.test'],
    ['with an end elsewhere', [alias('a.test', 'b.test')], [0], 'b.test'],
    ['of a DNAME', [tree('test', 'net'), a('a.net')], [0, 1], 'a.net'],
    [
      'of a DNAME with its CNAME',
      [tree('test', 'net'), alias('a.test', 'a.net'), a('a.net')],
      [0, 1, 2],
      'a.net',
    ],
    ['not moved by a DNAME of the name itself', [tree('a.test', 'net'), a('a.test')], [1], 'a.test'],
    [
      'with the same alias twice',
      [alias('a.test', 'b.test'), alias('a.test', 'b.test'), a('b.test')],
      [0, 2],
      'b.test',
    ],
  ])('%s', (_, records, expected, end) => {
    expect(followChain(A, records)).toEqual({
      records: expected.map((index) => records[index]),
      end: dotted(end),
    });
  });

  it('ends at the alias if that was asked for', () => {
    const records = [alias('a.test', 'b.test'), alias('b.test', 'c.test')];
    expect(followChain({ ...A, type: TYPE.CNAME }, records)).toEqual({
      records: [records[0]],
      end: dotted('a.test'),
    });
    const trees = [tree('test', 'net')];
    expect(followChain({ name: ['test'], type: TYPE.DNAME }, trees)).toEqual({
      records: trees,
      end: ['test'],
    });
  });

  test.each<[string, readonly DnsRecord[], string]>([
    ['a loop of one', [alias('a.test', 'a.test')], 'its names lead in a circle'],
    ['a loop of two', [alias('a.test', 'b.test'), alias('b.test', 'a.test')], 'its names lead in a circle'],
    ['a loop by DNAME', [tree('test', 'test')], 'its names lead in a circle'],
    [
      'two aliases',
      [alias('a.test', 'b.test'), alias('a.test', 'c.test')],
      'a name has several CNAME records',
    ],
    [
      'a contradiction',
      [tree('test', 'net'), alias('a.test', 'a.org')],
      'a CNAME record contradicts a DNAME record',
    ],
    [
      'a growing name',
      [tree('test', `${long}.${long}.${long}.${long}.xxxx.test`)],
      'a DNAME record makes a name that is longer than 255 bytes',
    ],
  ])('is none with %s', (_, records, reason) => {
    expect(followChain(A, records)).toEqual({ reason });
  });

  const links = (count: number): readonly DnsRecord[] => [
    ...Array.from({ length: count }, (_, index) =>
      alias(index === 0 ? 'a.test' : `n${index}.test`, `n${index + 1}.test`),
    ),
    a(`n${count}.test`),
  ];

  it(`has at most ${MOST_STEPS} steps`, () => {
    expect(followChain(A, links(MOST_STEPS))).toMatchObject({ end: [`n${MOST_STEPS}`, 'test'] });
    expect(followChain(A, links(MOST_STEPS + 1))).toEqual({
      reason: `its names lead over more than ${MOST_STEPS} steps`,
    });
  });

  it('keeps nothing that does not lead from the asked name, whatever the records are', () => {
    const names = fc.constantFrom('a.test', 'b.test', 'c.test', 'd.net', 'test', 'net').map(dotted);
    const record = fc.oneof(
      names.map((name) => addressRecord(name, address('192.0.2.1'))),
      fc.tuple(names, names).map(([name, target]) => aliasRecord(name, target)),
      fc.tuple(names, names).map(([name, target]) => aliasRecord(name, target, TYPE.DNAME)),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }).filter(hasFewDnames), (records) => {
        const chain = followChain(A, records);
        if ('reason' in chain) return;
        const reached = allReached('a.test', records);
        const isOn = ({ name, type }: DnsRecord): boolean =>
          type === TYPE.DNAME || reached.has(name.join('.'));
        expect(chain.records.every(isOn)).toBe(true);
        const found = chain.records.filter(({ type }) => type === TYPE.A);
        expect(found.every(({ name }) => sameName(name, chain.end))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  /** With three that make names longer, the comparison below would reach 3^17 of them. */
  const hasFewDnames = (records: readonly DnsRecord[]): boolean =>
    records.filter(({ type }) => type === TYPE.DNAME).length <= 2;

  const allReached = (first: string, records: readonly DnsRecord[]): ReadonlySet<string> => {
    const reached = new Set([first]);
    let added = new Set([first]);
    for (let step = 0; step <= MOST_STEPS; step++) {
      added = new Set([...added].flatMap((name) => targets(name, records))).difference(reached);
      for (const name of added) reached.add(name);
    }
    return reached;
  };

  const targets = (name: string, records: readonly DnsRecord[]): readonly string[] =>
    records.flatMap(({ name: owner, type, target }) => {
      if (target === undefined) return [];
      const from = owner.join('.');
      if (type === TYPE.CNAME) return from === name ? [target.join('.')] : [];
      return name.endsWith(`.${from}`) ? [name.slice(0, -from.length) + target.join('.')] : [];
    });
});
