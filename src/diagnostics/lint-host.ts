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
  ...view.problems.map(fromProblem),
  ...closedPorts(view).map((port) => fromClosed(port, view)),
];

const HOST = 'the host';

/** The reason of a problem of the host ends with what to do, after a semicolon. */
function fromProblem({ severity, reason }: Problem): Finding {
  const end = reason.lastIndexOf('; ');
  return {
    ...{ severity, code: 'host-rules', container: HOST },
    ...(end < 0
      ? { reason, remedy: 'see egresstrator host status' }
      : { reason: reason.slice(0, end), remedy: reason.slice(end + 2) }),
  };
}

const fromUnread = (reason: string): Finding => ({
  ...{ severity: 'error', code: 'host-rules', container: HOST, reason },
  remedy: 'the loaded rules of the host stay as they are until it can be read',
});

function fromClosed(closed: ClosedPort, view: HostView): Finding {
  const { container, at, protocol, port, containerPort } = closed;
  const verb = view.guard?.mode === 'observe' ? 'would close' : 'closes';
  const place = `${protocol}/${containerPort}`;
  const [why, remedy] = isClosedByHand(closed, view)
    ? ['it was closed by hand', `end that by "egresstrator ports own ${container} ${place}"`]
    : [
        'no service is registered there',
        `register a service there, open it by "egresstrator ports open ${container} ${place}"`,
      ];
  return {
    ...{ severity: 'warning', code: 'closed-port', container },
    reason: `port ${protocol}/${port} of this host (${at}) is published for ${place}, but the ports guard ${verb} it: ${why}`,
    remedy: `${remedy}, or do not publish it`,
  };
}

const isClosedByHand = (
  { container, protocol, containerPort }: ClosedPort,
  { containers, byHand }: HostView,
) =>
  containers
    .filter(({ name }) => name === container)
    .flatMap((one) => overridesOf(one, byHand))
    .some((one) => one.kind === 'close' && isSamePort(one, { protocol, port: containerPort }));
