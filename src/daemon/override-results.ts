/**
 * The result of an override for each container.
 */
import type { UnsupportedWorkload } from '../features/egress/workload-namespaces.ts';
import type { OverrideReply } from './api/schema.ts';

export type Result = OverrideReply['results'][number];

/** The unsupported ones, as results. */
export const unsupportedResults = (unsupported: readonly UnsupportedWorkload[]): Result[] =>
  unsupported.map(({ container, problem }) => ({
    ...{ container: container.name, state: 'failed', error: problem.reason, problems: [] },
  }));
