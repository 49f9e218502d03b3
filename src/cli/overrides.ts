/**
 * The common part of `set` and `clear`: sending the request to a running controller, applying it without one, and
 * printing the results.
 */
import { messageOf, UserError } from '../common/errors.ts';
import type { ApiClient } from '../daemon/api/client.ts';
import { OverrideReply } from '../daemon/api/schema.ts';
import { type Result, unsupportedResults } from '../daemon/override-results.ts';
import type { ContainerChoice, Targets } from '../features/egress/targets.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import type { Output } from './output.ts';

/** The controller keeps the override until the container stops. */
export async function overrideRules(
  controller: ApiClient,
  body: { readonly container: ContainerChoice; readonly rules: object },
): Promise<readonly Result[]> {
  const reply = await controller.post('/v1/overrides', body, OverrideReply);
  return reply.results;
}

/** Prints one line for each container. Throws when one failed. */
export function report(results: readonly Result[], done: string, output: Output): void {
  const line = ({ container, state, error }: Result) => `${container}: ${error ?? `${done} (${state})`}`;
  for (const { problems } of results) for (const problem of problems) output.note(describe(problem));
  const nothing = 'no running container was started with EGRESSTRATOR_ENABLE=1';
  output.result({ results }, (seen) => (results.length === 0 ? nothing : seen.results.map(line).join('\n')));
  const failed = results.filter(({ error }) => error !== undefined).map(({ container }) => container);
  if (failed.length > 0) throw new UserError(`failed for ${failed.join(', ')}`);
}

/**
 * Works on one namespace after the other, so that lines are in order; a failure does not stop the others. Unsupported
 * workloads come last.
 */
export async function eachNamespace(
  { namespaces, unsupported }: Targets,
  work: (namespace: WorkloadNamespace) => Promise<Pick<Result, 'state' | 'problems'>>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const namespace of namespaces) {
    const container = namespace.target.name;
    try {
      results.push({ container, ...(await work(namespace)) });
    } catch (error) {
      results.push({ container, state: 'failed', error: messageOf(error), problems: [] });
    }
  }
  return [...results, ...unsupportedResults(unsupported)];
}

interface Described {
  readonly key?: string | undefined;
  readonly line?: number | undefined;
  /** The subject of a problem that is not about a line: a service. */
  readonly text?: string | undefined;
  readonly reason: string;
}

const describe = ({ key, line, text, reason }: Described): string =>
  [key, line === undefined ? undefined : `line ${line}`, key === undefined ? text : undefined, reason]
    .filter((part) => part !== undefined)
    .join(': ');
