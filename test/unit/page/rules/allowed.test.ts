/**
 * What a workload may reach is told by key, line and destination, as its rules are compiled.
 */
import { expect, test } from 'vitest';
import { allowedBy } from '../../../../page/rules/allowed.ts';
import { NO_REPORT } from '../../../../src/features/names/name-report.ts';
import { snapshotOf } from '../../../support/snapshot.ts';

const instance = (address: string, node: string, ...tags: readonly string[]) => ({
  ...{ address, port: 5432, tags, node },
});

const snapshot = snapshotOf({
  keys: {
    db: '# databases\nproduction.postgresql\n10.0.0.300\n\n10.0.9.0/24:tcp/80,443\n',
    mail: 'smtp.example.net:tcp/25,587\n*.example.org@192.0.2.0/24:tcp/443',
  },
  services: { postgresql: [instance('10.0.1.11', 'one', 'production'), instance('10.0.1.12', 'two', 'x')] },
});

const allowed = (...grants: readonly string[]) => allowedBy({ grants }, snapshot);

test('a line of a service leads to its instances', () => {
  const [key] = allowed('db');
  expect(key?.lines[0]).toEqual({
    ...{ line: 2, text: 'production.postgresql', kind: 'service', problems: [] },
    destinations: [{ address: '10.0.1.11', traffic: 'tcp/5432', node: 'one' }],
  });
});

test('a line of addresses leads to them', () => {
  expect(allowed('db')[0]?.lines[2]?.destinations).toEqual([
    { address: '10.0.9.0/24', traffic: 'tcp/80,443', node: undefined },
  ]);
});

test('a line that is no rule stands among the others, with its problem', () => {
  const [key] = allowed('db');
  expect(key?.lines.map(({ line, kind }) => [line, kind])).toEqual([
    [2, 'service'],
    [3, 'bad'],
    [5, 'address'],
  ]);
  expect(key?.lines[1]?.problems[0]?.severity).toBe('error');
});

test('a key that Consul does not have allows nothing', () => {
  expect(allowed('db', 'none', 'db').map(({ key, exists, lines }) => [key, exists, lines.length])).toEqual([
    ['db', true, 3],
    ['none', false, 0],
  ]);
});

test('a line by name leads to what is granted for it', () => {
  const granted = (name: string, address: string, ports: string) => ({ name, address, ports, until: 1 });
  const names = {
    ...NO_REPORT,
    grants: [
      granted('smtp.example.net', '198.51.100.30', 'tcp/587'),
      granted('smtp.example.net', '198.51.100.31', 'udp/587'),
      granted('a.example.org', '192.0.2.7', 'tcp/443'),
      granted('a.example.org', '198.51.100.7', 'tcp/443'),
    ],
  };
  const [key] = allowedBy({ grants: ['mail'], names }, snapshot);
  expect(key?.lines.map(({ destinations }) => destinations.map(({ address }) => address))).toEqual([
    ['198.51.100.30'],
    ['192.0.2.7'],
  ]);
});
