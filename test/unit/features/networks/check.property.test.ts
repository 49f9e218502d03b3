/**
 * Random files against a naive reading of the format: what each policy permits and where each port leads, by comparing
 * texts; and that a bad value anywhere takes nothing else along.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckedNetworks, checkNetworks } from '../../../../src/features/networks/check.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import { bare, naiveLines } from '../../../support/naive-networks.ts';
import { EXAMPLE, randomFile, textOf } from '../../../support/networks-file.ts';

const check = (text: string): CheckedNetworks => {
  const checked = checkNetworks(text);
  if ('reason' in checked) throw new Error(checked.reason);
  return checked;
};

/** What a file has in force, a line for each. */
function linesOf({ file, resolved }: CheckedNetworks): readonly string[] {
  const range = ({ first, last }: { readonly first: number; readonly last: number }) => `${first}-${last}`;
  return [
    ...file.networks.map(
      ({ name, subnets }) => `network ${name} ${subnets.map(({ prefix }) => formatPrefix(prefix))}`,
    ),
    ...file.addresses.map(({ container, addresses }) => `ip ${container} ${addresses.map(formatPrefix)}`),
    ...resolved.permits.map(
      (one) => `permit ${formatPrefix(one.from)} ${formatPrefix(one.to)} ${one.protocol} ${range(one.range)}`,
    ),
    ...resolved.hostForwards.map(
      (one) => `host ${one.device} ${one.protocol} ${one.port} ${formatPrefix(one.to)} ${one.toPort}`,
    ),
    ...resolved.containerForwards.map(
      (one) =>
        `in ${bare(one.inside)} ${one.device ?? '*'} ${one.protocol} ${one.port} ${formatPrefix(one.to)} ${one.toPort}`,
    ),
  ].sort();
}

describe('a random file', () => {
  it('has in force what a naive reading has', () => {
    fc.assert(
      fc.property(randomFile, (file) => {
        expect(linesOf(check(textOf(file)))).toEqual(naiveLines(file));
      }),
      { numRuns: 1_000 },
    );
  });

  it('has a problem for each entry that is not in force, at its place', () => {
    fc.assert(
      fc.property(randomFile, (file) => {
        const { problems, resolved, file: read } = check(textOf(file));
        const inForce = new Set(
          [
            ...[...read.networks, ...read.addresses],
            ...[...resolved.permits, ...resolved.hostForwards, ...resolved.containerForwards],
          ].map(({ origin }) => origin.path),
        );
        const all = [
          ...file.networks.map((_, index) => `networks.n${index}`),
          ...file.ips.map((_, index) => `ips.i${index}`),
          ...file.policies.map((_, index) => `policies[${index}]`),
        ];
        for (const path of all)
          if (!inForce.has(path))
            expect(problems.map(({ text }) => text?.split('.to')[0] ?? '')).toSatisfy(
              (texts: readonly string[]) =>
                texts.some((text) => text === path || text.startsWith(`${path}.`)),
            );
      }),
    );
  });

  it('has the same in force whatever else is in the file', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom('{', '{"networks": {"a": {"subnet": "10.0.0.0/8"}'),
    );
    fc.assert(
      fc.property(text, (any) => {
        const checked = checkNetworks(any);
        if ('reason' in checked) expect(checked.reason).toMatch(/^(is|ends|has) /);
      }),
    );
  });
});

const BAD: readonly unknown[] = [
  ...[null, true, -1, 1.5, 65_536, 'x'.repeat(100_000), '\u001b[2J', {}, [], [[]], ['a', 'b'], { a: 1 }],
  ...['10.0.0.0/33', '999.1.1.1', 'fe80::1%eth0', '::ffff:10.0.0.1', '0x0a000001', '__proto__'],
];

/** The example with one value replaced. */
function withValue(path: readonly (string | number)[], value: unknown): string {
  const copy: unknown = JSON.parse(JSON.stringify({ ...EXAMPLE, policies: [PERMIT, ...EXAMPLE.policies] }));
  let node: unknown = copy;
  for (const part of path.slice(0, -1)) node = Reflect.get(Object(node), part);
  Reflect.set(Object(node), path.at(-1) ?? '', value);
  return JSON.stringify(copy);
}

const PERMIT = {
  ...{ container_name: 'smarthostbackend-1', from: 'smarthostloadbalancer', port: 25, proto: 'tcp' },
};

const FIELDS: readonly (readonly (string | number)[])[] = [
  ...Object.keys(EXAMPLE.networks['smarthost_backend-1']).map((field) => [
    'networks',
    'smarthost_backend-1',
    field,
  ]),
  ...Object.keys(EXAMPLE.ips['172.18.104.2']).map((field) => ['ips', '172.18.104.2', field]),
  ...Object.keys(PERMIT).map((field) => ['policies', 0, field]),
  ...[
    ['networks', 'smarthost_backend-1'],
    ['ips', '172.18.104.2'],
    ['policies', 0],
  ],
];

describe('a bad value', () => {
  it.each(FIELDS.map((path) => [path.join(' '), path] as const))(
    'at %s takes nothing else along',
    (_, path) => {
      for (const value of BAD) {
        const { file, resolved, problems } = check(withValue(path, value));
        const shown = JSON.stringify(value);
        expect(
          file.networks.map(({ name }) => name),
          shown,
        ).toContain('smarthost-loadbalancer');
        expect(
          file.addresses.flatMap(({ addresses }) => addresses.map(formatPrefix)),
          shown,
        ).toContain('172.18.103.2');
        expect(resolved.hostForwards, shown).toHaveLength(1);
        for (const { reason, text } of problems) expect(`${text} ${reason}`.length, shown).toBeLessThan(500);
        if (typeof value === 'object') expect(problems.length, shown).toBeGreaterThan(2);
      }
    },
  );
});
