/** Loads and inspections report the denied destinations that they read, in order. */
import { expect, test } from 'vitest';
import { type FoundDenied, rulesetLoader } from '../../../src/daemon/ruleset-loader.ts';
import type { KernelState, NamespaceRef } from '../../../src/dataplane/dataplane.ts';
import { type DeniedRecord, NOTHING_DENIED } from '../../../src/inventory/denied-record.ts';
import { HOST } from '../../../src/inventory/namespace.ts';
import { NOTHING_LOADED, type Ruleset } from '../../../src/inventory/ruleset.ts';
import { container } from '../../support/containers.ts';
import { FakeKernel } from '../../support/fakes.ts';

const target = container('web');
const web = { kind: 'container', id: 'web@start', target, inside: [target] } as const;
const ruleset = { owner: 'egress', text: 'comment "egresstrator v1 12ab"', fingerprint: '12ab' };
const DENIED: DeniedRecord = { ...NOTHING_DENIED, counts: { packets: 5, spoofed: 3, frames: 0 } };

/** A kernel that has denied something. */
class DenyingKernel extends FakeKernel {
  override async egressCounters(): Promise<string> {
    return 'counters';
  }

  override async reload(namespace: NamespaceRef, to: Ruleset): Promise<KernelState> {
    return { loaded: await this.load(namespace, to), denied: DENIED };
  }

  override async inspect(): Promise<KernelState> {
    return { loaded: NOTHING_LOADED, denied: DENIED };
  }
}

/** The clock advances each time that it is read. */
function setUp() {
  const reports: (readonly [string, string, FoundDenied])[] = [];
  const times = [1, 2, 3];
  const loader = rulesetLoader(new DenyingKernel(), undefined, {
    now: () => times.shift() ?? 0,
    found: ({ id }, owner, found) => reports.push([id, owner, found]),
  });
  return { loader, reports };
}

const found = (denied: DeniedRecord, begunAt: number) => [
  web.id,
  'egress',
  { denied, begunAt, traffic: 'counters' },
];

test('an inspection reports what the kernel holds', async () => {
  const { loader, reports } = setUp();
  expect(await loader.inspect(web, 'egress', NOTHING_LOADED)).toBe(NOTHING_LOADED);
  expect(reports).toEqual([found(DENIED, 1)]);
});

test('a load that replaces rules reports what it removes, and that the counts restart', async () => {
  const { loader, reports } = setUp();
  expect(await loader.load(web, ruleset, true)).toMatchObject({ fingerprint: '12ab' });
  expect(reports).toEqual([found(DENIED, 1), found(NOTHING_DENIED, 2)]);
});

test('a first load reports that nothing was denied', async () => {
  const { loader, reports } = setUp();
  await loader.load(web, ruleset, false);
  expect(reports).toEqual([found(NOTHING_DENIED, 1)]);
});

test.each<readonly [string, string, boolean]>([
  ['nat', ruleset.text, false],
  ['host', ruleset.text, false],
  ['host', `set denied_in4 {} ${ruleset.text}`, true],
])(
  'a load of %s that replaces rules reads what was denied only if its rules deny',
  async (owner, text, reads) => {
    const { loader, reports } = setUp();
    await loader.load(web, { ...ruleset, owner, text }, true);
    expect(reports.some(([, , { denied }]) => denied === DENIED)).toBe(reads);
  },
);

test("the host's namespace is rejected, and nothing is reported", async () => {
  const { loader, reports } = setUp();
  const host = { kind: 'host', id: HOST, inside: [] } as const;
  await expect(loader.load(host, ruleset, true)).rejects.toThrow('containers alone');
  expect(reports).toEqual([]);
});
