/**
 * The screen of the host's rules: its commands, its order, and what counts as passed.
 */
import { expect, test } from 'vitest';
import {
  admitCommand,
  callText,
  explainCommand,
  hasPassed,
  knownContainers,
  latestFirst,
  openCommand,
  ownCommand,
  portText,
  problemsOf,
  socketText,
} from '../../../page/screens/host-rules/model.ts';
import type { DeniedCall } from '../../../src/diagnostics/denied-in.ts';

const call = (more: Partial<DeniedCall> = {}): DeniedCall => ({
  ...{ source: '198.51.100.7', address: '172.18.0.2', container: 'web', protocol: 'tcp', port: 80 },
  ...{ packets: 3, firstSeenAt: 1000, lastSeenAt: 2000, ...more },
});

test('a caller that the guard denied is let in by a command for it alone', () => {
  expect(admitCommand(call())).toBe('egresstrator ports open web tcp/80 --from 198.51.100.7');
});

test.each([
  ['ingress keys decide', { gate: 'ingress' }],
  ['no container has the address', { container: undefined }],
  ['its protocol has no ports', { protocol: 'icmp' }],
  ['no port is known', { port: undefined }],
] as const)('no command opens a port where %s', (_, more) => {
  expect(admitCommand(call(more))).toBeUndefined();
});

test('names of containers are words of a shell in commands', () => {
  const container = `web'; reboot`;
  expect(openCommand({ container, protocol: 'tcp', containerPort: 80 })).toBe(
    `egresstrator ports open 'web'\\''; reboot' tcp/80`,
  );
  expect(ownCommand({ container, protocol: 'udp', port: 53, kind: 'open', from: 'anyone', since: 0 })).toBe(
    `egresstrator ports own 'web'\\''; reboot' udp/53`,
  );
  expect(explainCommand({ container, source: 'a b', traffic: 'tcp/80' })).toBe(
    `egresstrator explain --in 'web'\\''; reboot' 'a b' tcp/80`,
  );
});

test('the latest call comes first', () => {
  const old = call({ lastSeenAt: 1, source: '192.0.2.1' });
  const young = call({ lastSeenAt: 9, source: '192.0.2.2' });
  expect(latestFirst([old, young])).toEqual([young, old]);
});

test('calls pass where the guard observes, and where ingress rules are in audit mode', () => {
  const guard = (mode: 'observe' | 'enforce') => ({ mode, families: [4] as const, between: false });
  expect(hasPassed(call(), guard('observe'))).toBe(true);
  expect(hasPassed(call(), guard('enforce'))).toBe(false);
  expect(hasPassed(call({ gate: 'ingress', passed: true }), guard('enforce'))).toBe(true);
  expect(hasPassed(call({ gate: 'ingress' }), guard('observe'))).toBe(false);
});

test('what cannot be read and what failed comes before problems, and errors before warnings', () => {
  const problems = problemsOf({
    ...{ unread: ['no Consul'], lastError: 'no memory' },
    problems: [
      { severity: 'warning', reason: 'w' },
      { severity: 'error', reason: 'e' },
    ],
  });
  expect(problems.map(({ reason }) => reason)).toEqual(['no memory', 'no Consul', 'e', 'w']);
});

test('ports and sockets are written as elsewhere', () => {
  expect([portText({ protocol: 'tcp', port: 80 }), portText({ protocol: 'icmp' })]).toEqual([
    'tcp/80',
    'icmp',
  ]);
  expect(portText({ protocol: '' })).toBe('any protocol');
  expect([socketText('fd00::5', 80), socketText('10.0.0.5', 80)]).toEqual(['[fd00::5]:80', '10.0.0.5:80']);
});

test('a call is found by its caller, container, address, port and gate', () => {
  expect(callText(call({ gate: 'ingress' }))).toBe('198.51.100.7 web 172.18.0.2 tcp/80 ingress');
});

test('each container is offered once', () => {
  const opening = { protocol: 'tcp', port: 80, from: 'anyone', address: '172.18.0.2', origin: '' } as const;
  const openings = [{ ...opening, container: 'web' }, opening];
  expect(knownContainers({ openings, closed: [], forwards: [] }, ['db', 'web'])).toEqual(['db', 'web']);
});
