/** The options of the host's rules, as registrator's users know them too. */
import { expect, it } from 'vitest';
import { resolveConfig } from '../../../src/config/config.ts';

const host = (flags: Record<string, unknown>) => resolveConfig(flags, {}).host;

it('are off by default, and guard IPv6 for services of Consul once on', () => {
  expect(host({})).toBeUndefined();
  expect(host({ ports: 'enforce' })).toMatchObject({
    guard: { mode: 'enforce', families: [6], isBetween: false },
    ...{ services: 'consul', forwards: 'off' },
  });
});

it('take services from containers, with options of registrator', () => {
  expect(host({ ports: 'enforce', portsServices: 'engine', portsExplicit: true })?.services).toEqual({
    ...{ isInternal: false, isExplicit: true },
  });
});

it.each(['netfilter://FORWARD_direct/containerports', 'netfilter://mychain', 'netfilter://', 'netfilter:'])(
  'take %s for what it meant to registrator',
  (ports) => {
    expect(host({ ports })).toMatchObject({
      guard: { mode: 'enforce', families: [6] },
      services: { isInternal: false, isExplicit: false },
    });
    expect(host({ ports, portsServices: 'consul' })?.services).toBe('consul');
  },
);

it('tell what they expect', () => {
  for (const ports of ['netfilter://a b', 'netfilter://a/b/c', 'netfilter', 'on'])
    expect(() => host({ ports })).toThrow(
      `--ports: expected off, observe, enforce, netfilter://<chain>/<set>, not "${ports}"`,
    );
});
