/**
 * What lint finds in the host's rules, and which calls an answer about denied calls has.
 */
import { expect, test } from 'vitest';
import { deniedInAnswer } from '../../../src/diagnostics/denied-in.ts';
import { HOST_OFF, type HostView, hostSummary } from '../../../src/diagnostics/host-view.ts';
import { lintHost } from '../../../src/diagnostics/lint-host.ts';
import { canonicalHost } from '../../../src/features/host/canonical.ts';
import { namespaceId } from '../../../src/inventory/namespace.ts';
import { container } from '../../support/containers.ts';
import { bridge, NO_CLAIMS, opening, prefix } from '../../support/host-claims.ts';

const WEB = container('web', {
  networks: [
    { ...{ id: 'a', name: 'a', endpoint: 'e' }, ...{ ipv4: prefix('172.18.0.2'), ipv6: undefined } },
  ],
  ports: [
    { host: prefix('0.0.0.0/0'), hostPort: 8080, protocol: 'tcp', containerPort: 80 },
    { host: prefix('::/0'), hostPort: 8080, protocol: 'tcp', containerPort: 80 },
  ],
});

function viewOf(given: Partial<HostView> = {}): HostView {
  const guard = { mode: 'enforce', families: [4], isBetween: false } as const;
  const { rules } = canonicalHost({
    ...NO_CLAIMS,
    ...{ guard, bridges: [bridge('br-a', '172.18.0.0/16')], openings: [opening('172.18.0.2', 443)] },
    proxied: WEB.ports.map(({ host, protocol, hostPort }) => ({
      ...{ at: host, protocol, port: hostPort, from: 'nobody' },
    })),
  });
  return { ...HOST_OFF, state: 'loaded', guard, rules, containers: [WEB], ...given };
}

test('a published port that the guard closes, in the guarded family alone', () => {
  expect(lintHost(viewOf())).toEqual([
    {
      ...{ severity: 'warning', code: 'closed-port', container: 'web' },
      reason:
        'port tcp/8080 of this host (0.0.0.0/0) is published for tcp/80, but the ports guard closes it: no service is registered there',
      remedy:
        'register a service there, open it by "egresstrator ports open web tcp/80", or do not publish it',
    },
  ]);
});

test('a published port that was closed by hand', () => {
  const closed = { kind: 'close', from: 'anyone', protocol: 'tcp', port: 80, since: 1 } as const;
  const [finding] = lintHost(viewOf({ byHand: new Map([[namespaceId(WEB), [closed]]]) }));
  expect(finding?.reason).toMatch(/closes it: it was closed by hand$/);
  expect(finding?.remedy).toBe('end that by "egresstrator ports own web tcp/80", or do not publish it');
});

test('a published port where the ingress keys of its container let nobody in', () => {
  const [finding] = lintHost(viewOf({ limited: new Map([[WEB.id, 'the ingress keys of web (near)']]) }));
  expect(finding?.reason).toMatch(/closes it: nobody is let in there by the ingress keys of web \(near\)$/);
  expect(finding?.remedy).toBe('add a line to an ingress key, as in 10.0.0.0/8:tcp/80, or do not publish it');
});

test('problems of networks.json once, with their line', () => {
  const reason = 'networks.json: policies[0].from: "x" is no name; add it';
  const problem = { severity: 'error', line: 33, text: 'policies[0].from', reason } as const;
  const networks: HostView['networks'] = {
    ...{ path: '/n.json', readAt: 1, error: undefined, failing: [], problems: [problem], permits: [] },
    ...{ entries: { networks: [], attachments: [], policies: [], routes: [] }, inner: [] },
  };
  expect(lintHost({ ...HOST_OFF, problems: [problem], networks })).toEqual([
    {
      ...{ severity: 'error', code: 'networks-file', container: 'networks.json', line: 33, remedy: 'add it' },
      reason: 'policies[0].from: "x" is no name',
    },
  ]);
});

test('problems and unread sources, each with a remedy', () => {
  const problems = [{ severity: 'warning', reason: 'claimed twice: a, b; publish another port' }] as const;
  const view = { ...HOST_OFF, problems, unread: ['the Engine does not answer'] };
  expect(lintHost(view).map(({ reason, remedy }) => [reason, remedy])).toEqual([
    ['the Engine does not answer', 'the loaded rules of the host stay as they are until it can be read'],
    ['claimed twice: a, b', 'publish another port'],
  ]);
  expect(lintHost(HOST_OFF)).toEqual([]);
});

test('the summary counts what is open and closed in the guarded family', () => {
  expect(hostSummary(viewOf())).toMatchObject({ state: 'loaded', openings: 1, closed: 1, forwards: 0 });
});

test('denied calls of one container, and none where no port is guarded', () => {
  const seen = { protocol: 'tcp', port: 80, packets: 1, firstSeenAt: 1, lastSeenAt: 1 };
  const calls = ['172.18.0.2', '172.18.0.3'].map((address) => ({ source: '10.0.0.1', address, ...seen }));
  const report = { calls, packets: 2, unlisted: 0, isFull: false, covers: 1 };
  expect(deniedInAnswer('web', viewOf(), report).calls.map(({ address }) => address)).toEqual(['172.18.0.2']);
  expect(deniedInAnswer(undefined, viewOf(), report).calls).toHaveLength(2);
  expect(() => deniedInAnswer(undefined, HOST_OFF, report)).toThrow(/^no port is guarded/);
});
