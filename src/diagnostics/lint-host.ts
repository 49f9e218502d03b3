/**
 * Finds what is wrong with the host's rules: claims that contradict each other, services at nobody's address, sources that
 * cannot be read, and published ports that nobody may call.
 */
import type { Problem } from '../common/problem.ts';
import { isSamePort, overridesOf } from '../features/host/port-overrides.ts';
import type { Finding } from './finding.ts';
import { type ClosedPort, closedPorts, type HostView } from './host-view.ts';

export const lintHost = (view: HostView): readonly Finding[] => [
  ...view.unread.map(fromUnread),
  ...(view.networks?.problems ?? []).map(fromNetworks),
  ...withoutThoseOfNetworks(view).map(fromProblem),
  ...closedPorts(view).map((port) => fromClosed(port, view)),
];

const HOST = 'the host';

/** The host's rules have the file's problems too. */
function withoutThoseOfNetworks({ problems, networks }: HostView): readonly Problem[] {
  const known = new Set((networks?.problems ?? []).map(({ reason }) => reason));
  return problems.filter(({ reason }) => !known.has(reason));
}

const NETWORKS = 'networks.json';

const fromProblem = (problem: Problem): Finding => ({
  ...{ severity: problem.severity, code: 'host-rules', container: HOST },
  ...withRemedy(problem.reason, 'see egresstrator host status'),
});

const fromNetworks = ({ severity, line, reason }: Problem): Finding => ({
  ...{ severity, code: 'networks-file', container: NETWORKS, ...(line !== undefined && { line }) },
  ...withRemedy(reason.replace(`${NETWORKS}: `, ''), 'see egresstrator status'),
});

/** The reason of a problem ends with what to do, after a semicolon. */
function withRemedy(text: string, otherwise: string): Pick<Finding, 'reason' | 'remedy'> {
  const end = text.lastIndexOf('; ');
  return end < 0
    ? { reason: text, remedy: otherwise }
    : { reason: text.slice(0, end), remedy: text.slice(end + 2) };
}

const fromUnread = (reason: string): Finding => ({
  ...{ severity: 'error', code: 'host-rules', container: HOST, reason },
  remedy: 'the loaded rules of the host stay as they are until it can be read',
});

function fromClosed(closed: ClosedPort, view: HostView): Finding {
  const { container, at, protocol, port, containerPort } = closed;
  const verb = view.guard?.mode === 'observe' ? 'would close' : 'closes';
  const place = `${protocol}/${containerPort}`;
  const [why, remedy] = whyClosed(closed, view);
  return {
    ...{ severity: 'warning', code: 'closed-port', container },
    reason: `port ${protocol}/${port} of this host (${at}) is published for ${place}, but the ports guard ${verb} it: ${why}`,
    remedy: `${remedy}, or do not publish it`,
  };
}

/** With what to do about it. */
function whyClosed(
  { container: name, protocol, containerPort: port }: ClosedPort,
  { containers, byHand, limited }: HostView,
): readonly [string, string] {
  const place = `${protocol}/${port}`;
  const container = containers.find((one) => one.name === name);
  const set = container && overridesOf(container, byHand).find((one) => isSamePort(one, { protocol, port }));
  if (set?.kind === 'close')
    return ['it was closed by hand', `end that by "egresstrator ports own ${name} ${place}"`];
  const keys = container && limited?.get(container.id);
  if (keys !== undefined)
    return [`nobody is let in there by ${keys}`, `add a line to an ingress key, as in 10.0.0.0/8:${place}`];
  return [
    'no service is registered there',
    `register a service there, open it by "egresstrator ports open ${name} ${place}"`,
  ];
}
