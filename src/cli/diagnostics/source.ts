/**
 * Where answers come from: a running controller, else Consul and the Engine themselves.
 */

import { UserError } from '../../common/errors.ts';
import type { Config } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { ApiClient, isListening } from '../../daemon/api/client.ts';
import { DeniedReply, SnapshotReply } from '../../daemon/api/diagnostics-schema.ts';
import type { DeniedReport } from '../../daemon/deny-log.ts';
import { type PolicyKnowledge, policyKnowledge } from '../../diagnostics/policy-view.ts';
import type { Snapshot } from '../../diagnostics/snapshot.ts';
import type { Question } from './without-daemon.ts';

/** `workloadsKnown` is false where neither the controller nor the Engine could tell them. */
export interface Answer extends PolicyKnowledge {
  readonly workloadsKnown: boolean;
}

export async function learn(question: Question, config: Config, terminal: Terminal): Promise<Answer> {
  if (await isListening(config.socket)) {
    const also = (question.also ?? []).join(',');
    const query = new URLSearchParams({ scope: question.scope, also });
    const picture = await new ApiClient(config.socket).get(`/v1/snapshot?${query}`, SnapshotReply);
    if (!config.asksConsul || isOf(picture, config))
      return { ...policyKnowledge(picture), workloadsKnown: true };
  }
  const { readSnapshot, readContainers } = await direct();
  const containers = await readContainers(question, config, terminal);
  const picture = await readSnapshot(question, containers, config);
  return { ...policyKnowledge(picture), workloadsKnown: containers !== undefined };
}

/** Whether the controller reads the keys that are asked for by `-c` or `-k`. */
const isOf = ({ consul, kvPath }: Snapshot, config: Config): boolean =>
  consul === config.consul.address && trimmed(kvPath ?? '') === trimmed(config.consul.kvPath);

const trimmed = (path: string): string => path.replace(/^\/+|\/+$/g, '');

/**
 * What the kernel refused, of one container or of all. Throws a `UserError` for one that holds no rules:
 * of it nothing is refused, and nothing known.
 */
export async function readDenied(
  container: string | undefined,
  config: Config,
  terminal: Terminal,
): Promise<readonly DeniedReport[]> {
  const reports = await reportsOf(container, config, terminal);
  if (container === undefined || reports.length > 0) return reports;
  throw new UserError(
    `${container} has no rules, so nothing is denied: it runs without EGRESSTRATOR_ENABLE=1, or its rules are not loaded yet (egresstrator status)`,
  );
}

async function reportsOf(
  container: string | undefined,
  config: Config,
  terminal: Terminal,
): Promise<readonly DeniedReport[]> {
  if (!(await isListening(config.socket)))
    return (await direct()).readDeniedDirectly(container, config, terminal);
  const query = container === undefined ? '' : `?${new URLSearchParams({ container })}`;
  const { reports } = await new ApiClient(config.socket).get(`/v1/refusals${query}`, DeniedReply);
  return reports.map(({ error, refusals, ...rest }) => ({
    ...rest,
    refusals: refusals.map(({ port, ...refusal }) => ({ ...refusal, port })),
    ...(error === undefined ? {} : { error }),
  }));
}

/** Read only where it is needed: what speaks with Consul and the Engine takes a while to load. */
const direct = () => import('./without-daemon.ts');
