/** Rules by name in a compiled policy: beside the rule set, and never in it. */
import { describe, expect, it } from 'vitest';
import { parseAcl } from '../../../src/policy/acl.ts';
import { compile } from '../../../src/policy/compile.ts';
import { deniedNames } from '../../../src/policy/compile-names.ts';
import { MOST_CLASSES } from '../../../src/policy/name-seal.ts';
import { classOf } from '../../../src/policy/port-classes.ts';

const compiled = (keys: Readonly<Record<string, readonly string[]>>, grants = Object.keys(keys)) =>
  compile(
    grants,
    parseAcl(new Map(Object.entries(keys).map(([key, lines]) => [key, lines.join('\n')]))),
    new Map(),
    [],
  );

describe('a policy with rules by name', () => {
  it('has them with their keys and lines, and each list of ports once', () => {
    const { names, ruleSet, reasons, problems } = compiled(
      {
        a: ['api.example.com:tcp/443', '10.0.0.1:tcp/443', '*.example.com:tcp/443'],
        b: ['db@10.0.0.0/8:tcp/5432'],
        c: ['not.granted.example:tcp/1'],
      },
      ['a', 'b'],
    );
    expect(names.lines.map(({ key, line }) => [key, line.line])).toEqual([
      ['a', 1],
      ['a', 3],
      ['b', 1],
    ]);
    expect(names.classes.map(classOf)).toEqual(['tcp/443', 'tcp/5432']);
    expect(problems).toEqual([]);
    expect(reasons.map(({ line }) => line.text)).toEqual(['10.0.0.1:tcp/443']);
    expect(ruleSet.layers.flat()).toHaveLength(1);
  });

  it('has a limit of lists of ports, and a problem for each rule beyond', () => {
    const lines = Array.from({ length: MOST_CLASSES + 1 }, (_, index) => `api.example.com:tcp/${index + 1}`);
    const { names, problems } = compiled({ a: [...lines, 'www.example.com:tcp/1'] });
    expect(names.classes).toHaveLength(MOST_CLASSES);
    expect(names.lines).toHaveLength(MOST_CLASSES + 1);
    expect(problems).toEqual([
      {
        ...{ severity: 'error', key: 'a', line: 65, text: 'api.example.com:tcp/65' },
        reason:
          'the rules by name of its keys have more than 64 different lists of ports, so it grants nothing; give it the ports of another',
      },
    ]);
  });
});

it('says of each rule why it grants nothing, and what to write where it may be a service', () => {
  const { names } = compiled({
    a: ['api.example.com:tcp/443', 'prod.postgresql:tcp/5432', '*.prod.postgresql:tcp/1'],
  });
  expect(deniedNames(names, 'the reason').map(({ line, reason }) => [line, reason])).toEqual([
    [1, 'the reason, so it grants nothing; write its addresses'],
    [
      2,
      'the reason, so it grants nothing; write its addresses, or prod.postgresql alone if it is a service of Consul',
    ],
    [3, 'the reason, so it grants nothing; write its addresses'],
  ]);
});
