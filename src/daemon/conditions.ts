/**
 * All present problems for the log: failing sources, rules and containers with problems, unsupported workloads, and
 * workloads that can bypass their rules; and those of the host's rules.
 */

import { isUnreadService, type Problem } from '../common/problem.ts';
import type { Workloads } from '../features/egress/workload-namespaces.ts';
import { INGRESS_KEYS } from './consul-cache.ts';
import type { LoggedProblem } from './problem-log.ts';
import type { Status } from './status.ts';

/** `rawSockets`: whether any workload held CAP_NET_RAW so far; reported once for all, because Docker gives it by default. */
export function conditionsOf(
  { sources, namespaces, ingress = [], notEnabled = [], host }: Status,
  { unsupported }: Pick<Workloads, 'unsupported'>,
  rawSockets: boolean,
): readonly LoggedProblem[] {
  const troubles = new Set(sources.flatMap(({ error }) => error ?? []));
  return [
    ...[...troubles].map((reason) => everywhere({ severity: 'error', reason })),
    ...outdated(sources),
    ...[...namespaces, ...ingress].flatMap(({ target, problems }) =>
      problems.flatMap((problem) => (isUnreadService(problem) ? [] : { container: target, problem })),
    ),
    ...unreadServices([...namespaces, ...ingress]),
    ...unsupported.map(({ container, problem }) => ({ container: container.name, problem })),
    ...notEnabled.map(({ name, problem }) => ({ container: name, problem })),
    ...(host?.problems ?? []).map(everywhere),
    ...(rawSockets ? [everywhere(RAW_SOCKETS)] : []),
  ];
}

/**
 * Reported once for all workloads: while Consul is slow, hundreds of them may each name hundreds of services, and one
 * line for each pair would fill the log and the memory.
 */
function unreadServices(
  namespaces: readonly Pick<Status['namespaces'][number], 'problems'>[],
): readonly LoggedProblem[] {
  const problems = namespaces.flatMap((one) => one.problems.filter(isUnreadService));
  const distinct = new Map(problems.map((problem) => [`${problem.text} ${problem.reason}`, problem]));
  return [...distinct.values()].map(everywhere);
}

/** Reported once for all services, because there may be hundreds. */
function outdated(sources: Status['sources']): readonly LoggedProblem[] {
  const names = sources.flatMap((one) => (one.outdated ? one.name : []));
  return [
    ...(names.includes('rules') ? [everywhere(OUTDATED_RULES)] : []),
    ...(names.includes(INGRESS_KEYS) ? [everywhere(OUTDATED_INGRESS)] : []),
    ...(names.some((name) => name !== 'rules' && name !== INGRESS_KEYS)
      ? [everywhere(OUTDATED_SERVICES)]
      : []),
  ];
}

const OUTDATED_RULES: Problem = {
  severity: 'error',
  reason: 'the rules are older than --max-age, so keys grant nothing until Consul confirms them',
};

const OUTDATED_INGRESS: Problem = {
  severity: 'error',
  reason: 'the ingress keys are older than --max-age, so they let nobody in until Consul confirms them',
};

const OUTDATED_SERVICES: Problem = {
  severity: 'error',
  reason:
    'some services are older than --max-age and grant nothing until Consul confirms them (see egresstrator status)',
};

const everywhere = (problem: Problem): LoggedProblem => ({ container: undefined, problem });

const RAW_SOCKETS: Problem = {
  severity: 'warning',
  reason:
    'workloads have CAP_NET_RAW: an AF_XDP socket can bypass every rule in a namespace; start them with the gate or with --cap-drop NET_RAW (see egresstrator status)',
};
