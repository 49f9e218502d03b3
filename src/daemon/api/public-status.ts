/**
 * The part of the status that `--listen` shows: names, states, and the number and place of problems. It has no texts
 * of rules, and no reasons and errors, because these quote rules.
 *
 * Each field is listed here: a new field of the status stays private until it is added here too.
 */

import type { Problem } from '../../common/problem.ts';
import type { NetworksSummary } from '../../diagnostics/networks-view.ts';
import type { NamespaceStatus } from '../../features/egress/status.ts';
import type { IngressStatus } from '../../features/ingress/status.ts';
import type { EntryState } from '../../features/networks/entry-states.ts';
import type { HostSummary, Status } from '../status.ts';

const WITHHELD = 'run egresstrator status on the host';

export const publicStatus = ({
  controller,
  namespaces,
  ingress,
  sources,
  recordsDenied,
  unsupported,
  notEnabled,
  host,
  networks,
}: Status): Status => ({
  ...(controller === undefined ? {} : { controller }),
  ...(recordsDenied === undefined ? {} : { recordsDenied }),
  namespaces: namespaces.map(outsideNamespace),
  ...(ingress && { ingress: ingress.map(outsideIngress) }),
  ...(host && { host: outsideHost(host) }),
  ...(networks && { networks: outsideNetworks(networks) }),
  sources: sources.map(({ name, known, confirmedAt, error }) => ({
    ...{ name, known, confirmedAt },
    error: withheld(error),
  })),
  unsupported: unsupported.map(({ name, problem }) => ({ name, problem: outsideProblem(problem) })),
  ...(notEnabled && {
    notEnabled: notEnabled.map(({ name, problem }) => ({ name, problem: outsideProblem(problem) })),
  }),
});

const outsideNamespace = (one: NamespaceStatus): NamespaceStatus => ({
  ...{ id: one.id, workloads: one.workloads, target: one.target, state: one.state },
  ...{ grants: one.grants, mode: one.mode, dns: one.dns, hasRawSockets: one.hasRawSockets },
  ...{ fingerprint: one.fingerprint, verifiedAt: one.verifiedAt, loader: one.loader },
  ...(one.names && { names: one.names }),
  ...(one.byHand && { byHand: { kind: one.byHand.kind, since: one.byHand.since } }),
  lastError: withheld(one.lastError),
  problems: one.problems.map(outsideProblem),
});

const outsideIngress = (one: IngressStatus): IngressStatus => ({
  ...{ id: one.id, workloads: one.workloads, target: one.target, state: one.state, keys: one.keys },
  ...{ mode: one.mode, fingerprint: one.fingerprint, verifiedAt: one.verifiedAt },
  lastError: withheld(one.lastError),
  problems: one.problems.map(outsideProblem),
});

const outsideHost = (host: HostSummary): HostSummary => ({
  ...{ state: host.state, guard: host.guard, fingerprint: host.fingerprint, verifiedAt: host.verifiedAt },
  ...{ openings: host.openings, closed: host.closed, forwards: host.forwards, permits: host.permits },
  ...(host.passages && { passages: host.passages }),
  lastError: withheld(host.lastError),
  problems: host.problems.map(outsideProblem),
});

const outsideNetworks = (one: NetworksSummary): NetworksSummary => ({
  ...{ path: one.path, readAt: one.readAt, error: withheld(one.error) },
  networks: one.networks.map(outsideEntry),
  attachments: one.attachments.map(outsideEntry),
  policies: one.policies.map(outsideEntry),
  routes: one.routes.map(outsideEntry),
  failing: one.failing.map(({ name, retryAt }) => ({ name, reason: WITHHELD, retryAt })),
});

const outsideEntry = ({ path, state, reason }: EntryState): EntryState => ({
  ...{ path, state, reason: withheld(reason) },
});

const outsideProblem = ({ severity, key, line }: Problem): Problem => ({
  ...{ severity, reason: WITHHELD },
  ...(key === undefined ? {} : { key }),
  ...(line === undefined ? {} : { line }),
});

const withheld = (error: string | undefined): string | undefined =>
  error === undefined ? undefined : WITHHELD;
