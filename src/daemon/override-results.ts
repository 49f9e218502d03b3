/**
 * The result of an override for each container.
 */
import type { Problem } from '../common/problem.ts';
import type { UnsupportedWorkload } from '../features/egress/workload-namespaces.ts';
import type { Container } from '../inventory/container.ts';
import { parseIngress } from '../inventory/workload.ts';
import type { OverrideReply } from './api/schema.ts';

export type Result = OverrideReply['results'][number];

/** The unsupported ones, as results. */
export const unsupportedResults = (unsupported: readonly UnsupportedWorkload[]): Result[] =>
  unsupported.map(({ container, problem }) => ({
    ...{ container: container.name, state: 'failed', error: problem.reason, problems: [] },
  }));

/** What `clear` leaves: nobody must take a container for open whose callers are still limited. */
export const keptIngress = (containers: readonly Container[]): Problem[] =>
  containers
    .filter((one) => parseIngress(one) !== undefined)
    .map(({ name }) => ({
      severity: 'warning',
      reason: `the ingress rules of ${name} stay: clear and set change egress rules alone; edit its ingress keys in Consul`,
    }));
