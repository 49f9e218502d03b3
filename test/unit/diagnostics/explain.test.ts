/** Why a destination is allowed or refused: in agreement with what is loaded, and with a way out. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createExplainer, type Explanation, type Hint } from '../../../src/diagnostics/explain.ts';
import type { PolicyView } from '../../../src/diagnostics/policy-view.ts';
import { compile } from '../../../src/policy/compile.ts';
import { allows } from '../policy/rule-sets.ts';
import {
  aclOf,
  arbitraryCatalog,
  arbitraryDestination,
  arbitraryGrants,
  arbitraryKeys,
  arbitraryPolicy,
  catalogOf,
  instance,
  METADATA,
  to,
  view,
} from './fixtures.ts';

const hintsOf = ({ cause }: Explanation): readonly Hint[] => (cause.kind === 'nothing' ? cause.hints : []);
const kindsOf = (explanation: Explanation) => hintsOf(explanation).map(({ kind }) => kind);

test('explained as allowed is what the rule set allows', () => {
  fc.assert(
    fc.property(...arbitraryPolicy, (keys, catalog, grants, destinations) => {
      const explain = createExplainer(view(grants, keys, { catalog }));
      const { ruleSet } = compile(grants, aclOf(keys), catalog, [METADATA]);
      for (const destination of destinations) {
        const { host, protocol, port } = destination;
        expect(explain(destination).allowed).toBe(allows(ruleSet, host, protocol, port));
      }
    }),
    { numRuns: 1000 },
  );
});

test('with a denylist, explained as refused is what keys name that are not granted', () => {
  fc.assert(
    fc.property(...arbitraryPolicy, (keys, catalog, grants, destinations) => {
      const explain = createExplainer(view(grants, keys, { catalog, denylist: true }));
      const others = Object.keys(keys).filter((key) => !grants.includes(key));
      const closed = compile(others, aclOf(keys), catalog, []).ruleSet;
      for (const destination of destinations) {
        const { host, protocol, port } = destination;
        expect(explain(destination).allowed).toBe(!allows(closed, host, protocol, port));
      }
    }),
    { numRuns: 500 },
  );
});

describe('with a denylist', () => {
  const explain = (keys: Readonly<Record<string, string>>, traits: Partial<PolicyView> = {}) =>
    createExplainer(view(['mine'], keys, { denylist: true, dns: 'resolvers', ...traits }));

  test('a protected address is closed by a broad line, and by a service that is registered there', () => {
    const catalog = catalogOf({ pg: [instance('169.254.169.254', 80)] });
    for (const line of ['0.0.0.0/0:tcp/80', 'pg']) {
      const { allowed, cause } = explain({ lacked: line }, { catalog })(to('169.254.169.254', 'tcp', 80));
      expect({ allowed, kind: cause.kind }).toEqual({ allowed: false, kind: 'closed' });
    }
  });

  test('a grant opens nothing that another key closes, and opens time and names', () => {
    const both = explain({ mine: '10.0.0.1:tcp/80', lacked: '10.0.0.0/8:tcp/80' });
    expect(both(to('10.0.0.1', 'tcp', 80)).cause).toMatchObject({ reasons: [{ key: 'lacked' }] });
    const named = explain({ mine: '192.0.2.1:udp/53,123' });
    for (const port of [53, 123]) {
      expect(named(to('192.0.2.1', 'udp', port)).cause.kind).toBe('rules');
      expect(named(to('192.0.2.2', 'udp', port)).allowed).toBe(false);
      expect(named(to('192.0.2.2', 'tcp', port)).allowed).toBe(true);
    }
  });

  test.each([
    ['10.1.2.3', true],
    ['172.16.255.1', true],
    ['172.17.0.1', false],
    ['192.168.1.1', true],
    ['8.8.8.8', true],
    ['8.8.4.4', false],
    ['fd00::1', true],
    ['2001:db8::1', false],
  ])('names may be asked of %s: %s', (host, allowed) => {
    expect(explain({})(to(host, 'udp', 53)).allowed).toBe(allowed);
    expect(explain({}, { dns: 'none' })(to(host, 'udp', 53)).allowed).toBe(false);
  });
});

test('following a hint allows what was refused', () => {
  fc.assert(
    fc.property(
      arbitraryKeys,
      arbitraryCatalog,
      arbitraryGrants,
      arbitraryDestination,
      (keys, catalog, grants, destination) => {
        const explanation = createExplainer(view(grants, keys, { catalog }))(destination);
        for (const hint of hintsOf(explanation)) {
          const followed =
            hint.kind === 'grant'
              ? view([...grants, hint.reason.key], keys, { catalog })
              : hint.kind === 'write' || hint.kind === 'protected'
                ? view([...grants, 'new'], { ...keys, new: hint.rule }, { catalog })
                : undefined;
          if (followed !== undefined) expect(createExplainer(followed)(destination).allowed).toBe(true);
        }
      },
    ),
    { numRuns: 500 },
  );
});

describe('allowed', () => {
  test('by a line of a key, the narrowest first', () => {
    const { cause } = createExplainer(view(['db'], { db: '10.0.0.0/8:tcp\n\n10.0.0.5:tcp/80' }))(
      to('10.0.0.5', 'tcp', 80),
    );
    expect(cause).toMatchObject({
      kind: 'rules',
      reasons: [
        { key: 'db', line: { line: 3, text: '10.0.0.5:tcp/80' } },
        { key: 'db', line: { line: 1 } },
      ],
    });
  });

  test('by an instance of a service', () => {
    const catalog = catalogOf({ pg: [instance('10.0.0.5', 5432, 'production')] });
    const { cause } = createExplainer(view(['db'], { db: 'production.pg' }, { catalog }))(
      to('10.0.0.5', 'tcp', 5432),
    );
    expect(cause).toMatchObject({ kind: 'rules', reasons: [{ instance: { node: 'node-10.0.0.5' } }] });
  });

  test('always on loopback, and never through Docker’s resolver where DNS is off', () => {
    const explain = createExplainer(view([], {}));
    expect(explain(to('127.0.0.1', 'tcp', 80)).cause.kind).toBe('loopback');
    expect(explain(to('::1', 'tcp', 80)).cause.kind).toBe('loopback');
    expect(kindsOf(explain(to('127.0.0.11', 'udp', 53)))).toContain('no-dns');
    expect(createExplainer(view([], {}, { dns: 'resolvers' }))(to('127.0.0.11', 'udp', 53)).allowed).toBe(
      true,
    );
  });

  test('to the container’s own resolvers on port 53', () => {
    const explain = createExplainer(view([], {}, { dns: 'resolvers', resolvers: ['10.9.9.9'] }));
    expect(explain(to('10.9.9.9', 'udp', 53)).cause.kind).toBe('resolver');
    expect(explain(to('10.9.9.9', 'tcp', 53)).cause.kind).toBe('resolver');
    expect(explain(to('10.9.9.9', 'tcp', 443)).allowed).toBe(false);
    expect(explain(to('10.9.9.8', 'udp', 53)).allowed).toBe(false);
  });

  test('in audit mode everything passes, and is still called refused', () => {
    const explanation = createExplainer(view([], {}, { mode: 'audit' }))(to('10.0.0.5', 'tcp', 80));
    expect(explanation).toMatchObject({ allowed: false, passes: true });
  });
});

describe('refused', () => {
  test('names the keys that would allow it', () => {
    const explain = createExplainer(view(['a'], { a: '', db: '10.0.0.5:tcp/80', all: '10.0.0.0/8:tcp' }));
    const hints = hintsOf(explain(to('10.0.0.5', 'tcp', 80)));
    expect(hints.flatMap((hint) => (hint.kind === 'grant' ? hint.reason.key : []))).toEqual(['db', 'all']);
  });

  test('names granted keys that do not exist', () => {
    const hints = hintsOf(createExplainer(view(['db', 'dB'], { db: '' }))(to('10.0.0.5', 'tcp', 80)));
    expect(hints).toContainEqual({ kind: 'unknown-key', key: 'dB' });
  });

  test('names granted services of which nothing is registered', () => {
    const catalog = catalogOf({ pg: [instance('10.0.0.5', 5432, 'staging')] });
    const explain = createExplainer(view(['db'], { db: 'production.pg' }, { catalog }));
    expect(hintsOf(explain(to('10.0.0.5', 'tcp', 5432)))).toMatchObject([
      { kind: 'no-instance', key: 'db', line: { text: 'production.pg' } },
      { kind: 'write', rule: 'pg' },
    ]);
  });

  test('says of a service that Consul has not told no more than that', () => {
    const explain = createExplainer(view(['db'], { db: 'pg@dc9' }, { catalog: catalogOf({}) }));
    expect(hintsOf(explain(to('10.0.0.5', 'tcp', 5432)))).toMatchObject([
      { kind: 'unread-service', key: 'db', line: { text: 'pg@dc9' } },
      { kind: 'write' },
    ]);
  });

  test('says where protection decides, and what would name the host', () => {
    const explain = createExplainer(view(['net'], { net: '0.0.0.0/0:tcp' }));
    expect(hintsOf(explain(to('169.254.169.254', 'tcp', 80)))).toMatchObject([
      { kind: 'protected', reason: { key: 'net' }, rule: '169.254.169.254:tcp/80' },
    ]);
  });

  test('says what the host may be asked for instead', () => {
    const explain = createExplainer(view(['db'], { db: '10.0.0.5:tcp/5432' }));
    expect(kindsOf(explain(to('10.0.0.5', 'tcp', 80)))).toEqual(['partial-match', 'write']);
  });
});
