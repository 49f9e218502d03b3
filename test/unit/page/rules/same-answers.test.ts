/**
 * What the page answers by itself is what the command answers: the same keys, services and workloads are given to the
 * command's diagnostics, and to the page by way of the controller's tables and JSON.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { remedyOf } from '../../../../page/rules/allow.ts';
import { answerTo, type KeyText, type Known } from '../../../../page/rules/answers.ts';
import { atOnce } from '../../../../src/common/slices.ts';
import { keyTables } from '../../../../src/daemon/watch/key-tables.ts';
import { statusTables } from '../../../../src/daemon/watch/status-tables.ts';
import type { NamespaceView } from '../../../../src/diagnostics/snapshot.ts';
import { catalogIndex } from '../../../../src/diagnostics/suggest.ts';
import type { IngressStatus } from '../../../../src/features/ingress/status.ts';
import { serviceName } from '../../../../src/inventory/service.ts';
import { snapshotOf as liveSnapshotOf } from '../../../../src/live/snapshot.ts';
import { EMPTY_STATE, type LiveState, stateOf, wireOf } from '../../../../src/live/state.ts';
import type { ControllerEntry, ServiceEntry } from '../../../../src/live/tables.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import { parseAcl } from '../../../../src/policy/acl.ts';
import { servicesOf } from '../../../../src/policy/compile.ts';
import { diagnosticsOf, type SnapshotInput, snapshotOf } from '../../../support/snapshot.ts';
import {
  arbitraryCatalog,
  arbitraryGrants,
  arbitraryKeys,
  arbitraryText,
} from '../../diagnostics/fixtures.ts';

/** Milliseconds for 500 cases on a busy machine. */
const TIMEOUT = 240_000;

const KEYS = ['a', 'b', 'c'] as const;

const names = fc.array(
  fc.constantFrom('api.example.com:tcp/443', '*.example.com:tcp/443', '*.com:tcp/443', 'a.example:udp', ''),
  { maxLength: 3 },
);
const text = fc.tuple(arbitraryText, names).map(([one, more]) => [one, ...more].join('\n'));
const keys = fc
  .tuple(arbitraryKeys, names)
  .map(([one, more]) => ({ ...one, a: [one.a, ...more].join('\r\n') }));

const situation = fc.record({
  keys,
  services: arbitraryCatalog.map((all) => Object.fromEntries(all)),
  workloads: fc.array(
    fc.record({
      grants: arbitraryGrants,
      mode: fc.constantFrom('enforce' as const, 'audit' as const),
      dns: fc.constantFrom('none' as const, 'names' as const, 'resolvers' as const),
      hasForeignRules: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
  denylist: fc.boolean(),
  protectedHosts: fc.subarray(['169.254.169.254', '10.0.0.1']),
});
type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

const viewOf = (one: Situation['workloads'][number], at: number): Omit<NamespaceView, 'id'> => ({
  ...{ workloads: [`w${at}`], ids: [`id${at}`], target: `w${at}`, ...one },
  ...{ resolvers: ['10.0.0.53'], state: 'protected' },
});

const inputOf = ({ workloads, ...rest }: Situation): SnapshotInput => ({
  ...rest,
  namespaces: workloads.map(viewOf),
});

/** What a browser has: the tables that the controller makes, after the wire. */
function known(input: SnapshotInput, ingress: ReadonlyMap<string, IngressStatus> = new Map()): LiveState {
  const snapshot = snapshotOf(input);
  const named = new Set(servicesOf([...snapshot.acl.values()]).map(serviceName));
  const watched = new Map([...snapshot.catalog].filter(([name]) => named.has(name)));
  const unwatched = new Map(
    [...named].filter((name) => !watched.has(name)).map((name) => [name, { instances: [] }]),
  );
  const views = snapshot.namespaces ?? [];
  const state: LiveState = {
    ...EMPTY_STATE,
    ...atOnce(
      keyTables(EMPTY_STATE, {
        acl: snapshot.acl,
        ingress: undefined,
        watched,
        unwatched,
      }),
    ),
    ...atOnce(
      statusTables(EMPTY_STATE, {
        ...{ controller: controllerOf(snapshot), namespaces: views, projectOf: () => undefined },
        unsupported: [],
        status: {
          ...{ sources: [], unsupported: [], ingress: [...ingress.values()] },
          namespaces: views.map(({ id, workloads, target, grants, mode, dns }) => ({
            ...{ id, workloads, target, grants, mode, dns, state: 'protected', hasRawSockets: false },
            ...{ fingerprint: 'f', verifiedAt: 0, lastError: undefined, problems: [] },
          })),
        },
      }),
    ),
  };
  return stateOf(JSON.parse(JSON.stringify(wireOf(state))));
}

const controllerOf = (snapshot: ReturnType<typeof snapshotOf>): ControllerEntry => ({
  ...{ version: '1', node: 'n', loader: 'nsenter', template: snapshot.template, startedAt: 0 },
  ...{ kvPath: snapshot.kvPath, ingressPath: snapshot.ingressPath, consul: '', docker: '', mode: 'enforce' },
  ...{ denylist: snapshot.denylist, recordsDenied: snapshot.recordsDenied, isReady: true, unreadable: [] },
  protectedHosts: snapshot.protectedHosts.map(formatPrefix),
});

function fromLive(state: LiveState): Known {
  const snapshot = liveSnapshotOf(state);
  if (snapshot === undefined) throw new Error('the state has no controller');
  return { snapshot, ingress: state.ingress };
}

/** The controller's answer about a service that no key names yet. */
const reader =
  ({ services = {} }: SnapshotInput) =>
  async (name: string): Promise<ServiceEntry> =>
    JSON.parse(JSON.stringify({ instances: services[name] ?? [] }));

const answer = (question: KeyText, input: SnapshotInput) =>
  answerTo(question, fromLive(known(input)), reader(input));

/** What a command reads: all services that keys name, or that the text does. Consul knows nothing of some. */
function read(input: SnapshotInput, proposed = ''): SnapshotInput {
  const texts = new Map([...Object.entries(input.keys ?? {}), ['proposed', proposed]]);
  const named = servicesOf([...parseAcl(texts).values()]).map((ref) => [serviceName(ref), []] as const);
  return { ...input, services: { ...Object.fromEntries(named), ...input.services } };
}

/** `undefined` does not survive the wire. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test(
  'what a new text would change for whom is what the command prints',
  async () => {
    await fc.assert(
      fc.asyncProperty(situation, fc.constantFrom(...KEYS, 'new'), text, async (one, key, proposed) => {
        const input = inputOf(one);
        const { diff } = await answer({ key, text: proposed, direction: 'egress' }, input);
        expect(plain(diff)).toEqual(
          plain(await diagnosticsOf(() => read(input, proposed)).diff({ key, text: proposed })),
        );
      }),
      { numRuns: 500 },
    );
  },
  TIMEOUT,
);

test(
  'what lint finds in a new text is what the command finds once it is stored',
  async () => {
    await fc.assert(
      fc.asyncProperty(situation, fc.constantFrom(...KEYS), text, async (one, key, proposed) => {
        const input = inputOf(one);
        const stored = { ...input, keys: { ...input.keys, [key]: proposed } };
        const { findings } = await answer({ key, text: proposed, direction: 'egress' }, input);
        const command = await diagnosticsOf(() => read(stored)).lint({ key });
        expect(plain(findings)).toEqual(plain(command.findings));
      }),
      { numRuns: 500 },
    );
  },
  TIMEOUT,
);

test(
  'lint of an ingress key finds what the command finds',
  async () => {
    const callers = fc
      .array(
        fc.constantFrom(
          '10.0.0.0/8:tcp/80',
          'pg:tcp/5432',
          'pg',
          'not a rule',
          '10.0.0.1:tcp/80',
          '[::]/0:tcp',
        ),
        { maxLength: 5 },
      )
      .map((lines) => lines.join('\n'));
    await fc.assert(
      fc.asyncProperty(situation, callers, fc.boolean(), async (one, proposed, isNamed) => {
        const acl = parseAcl(new Map([['in', proposed]]), undefined, 'ingress');
        const workloads = isNamed ? [{ name: 'db', grants: ['in'] }] : [];
        const input = { ...inputOf(one), ingress: { acl, workloads, containers: [] } };
        const table = new Map(isNamed ? [['db@0', ingressOf('in')]] : []);
        const { findings } = await answerTo(
          { key: 'in', text: proposed, direction: 'ingress' },
          fromLive(known(input, table)),
          reader(input),
        );
        const command = await diagnosticsOf(() => read(input, proposed)).lint({
          key: 'in',
          direction: 'ingress',
        });
        expect(plain(findings)).toEqual(plain(command.findings));
      }),
      { numRuns: 500 },
    );
  },
  TIMEOUT,
);

const ingressOf = (key: string): IngressStatus => ({
  ...{ id: 'db@0', workloads: ['db'], target: 'db', state: 'protected', keys: [key], mode: 'enforce' },
  ...{ fingerprint: 'f', verifiedAt: 0, lastError: undefined, problems: [] },
});

test(
  'the line that would allow a denied destination is the one that the command suggests',
  async () => {
    const flow = fc.record({
      address: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.1.1', '169.254.169.254', '2001:db8::1'),
      ...{ protocol: fc.constantFrom('tcp', 'udp', 'icmp'), port: fc.integer({ min: 1, max: 12 }) },
      ...{ packets: fc.constant(1), firstSeenAt: fc.constant(0), lastSeenAt: fc.constant(0) },
    });
    await fc.assert(
      fc.asyncProperty(situation, flow, async (one, destination) => {
        const input = inputOf({ ...one, workloads: one.workloads.slice(0, 1) });
        const containers = (input.namespaces ?? []).map(({ target }) => target);
        const diagnostics = diagnosticsOf(
          () => read(input),
          () =>
            containers.map((container) => ({
              ...{ container, workloads: [container], mode: 'enforce', readAt: 0 },
              destinations: [destination],
            })),
        );
        const [{ rows }, { suggestions }] = [await diagnostics.denied({}), await diagnostics.suggest({})];
        const { snapshot } = fromLive(known(input));
        const remedies = rows.map((row) => remedyOf(row, snapshot, catalogIndex(snapshot)));
        const lines = suggestions.map(({ lines: all }) => all[0]?.rule);
        expect(remedies.map(({ line }) => line)).toEqual(lines);
        expect(remedies.map(({ isRisky }) => isRisky)).toEqual(
          suggestions.map(({ lines: all }) => all[0]?.risky ?? false),
        );
      }),
      { numRuns: 500 },
    );
  },
  TIMEOUT,
);
