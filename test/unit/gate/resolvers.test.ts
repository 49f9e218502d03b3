/** The gate and the controller find the same resolvers for a container. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { externalAddresses } from '../../../src/sources/docker/resolv-conf.ts';
import { resolversFrom } from '../../../src/sources/docker/resolvers.ts';
import { ENGINE_RESOLVERS, type ResolverVector, resolverVectors } from '../../support/resolver-vectors.ts';
import { awks, runAwk } from './bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-resolvers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const byController = ({ resolvConf, dns }: ResolverVector): readonly string[] =>
  resolversFrom(resolvConf, dns.length > 0 ? externalAddresses(dns) : ENGINE_RESOLVERS);

/** Two lines: ", 10.0.0.2, 10.0.0.3" and ", 2001:db8::1". */
function byGate(awk: string, { resolvConf, dns }: ResolverVector): readonly string[] {
  mkdirSync(join(folder, 'prepared'), { recursive: true });
  const engines = ENGINE_RESOLVERS.map((address) => `nameserver ${address}\n`).join('');
  writeFileSync(join(folder, 'prepared/resolvers'), engines);
  writeFileSync(join(folder, 'resolv.conf'), resolvConf);
  const printed = runAwk(awk, ['files', 'resolvers'], [join(folder, 'resolv.conf'), dns.join(' '), folder]);
  const lines = printed.split('\n').slice(0, 2);
  return lines.flatMap((line) => line.split(', ').slice(1));
}

const inOrderOfFamilies = (addresses: readonly string[]): readonly string[] => [
  ...addresses.filter(isIPv4),
  ...addresses.filter(isIPv6),
];

describe.each(resolverVectors.map((vector) => [vector.name, vector] as const))(
  'resolvers %s',
  (_, vector) => {
    test('of the controller', () => {
      expect(byController(vector)).toEqual(vector.expected);
    });

    test.each(awks())('of the gate with %s', (awk) => {
      expect(byGate(awk, vector)).toEqual(inOrderOfFamilies(vector.expected));
    });
  },
);
