/**
 * `egresstrator set`: loads egress rules in running containers. A running controller keeps them until the container
 * stops; without a controller they are loaded once, by this process.
 */

import { messageOf, UserError } from '../../common/errors.ts';
import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { ApiClient, isListening } from '../../daemon/api/client.ts';
import { OverrideReply as OverrideReplySchema } from '../../daemon/api/schema.ts';
import { applyOnce, readRules } from '../../daemon/apply-once.ts';
import { type Result, refusedResults } from '../../daemon/override-results.ts';
import { openConsul, openEngine, openTemplate, toolLogger } from '../../daemon/wiring.ts';
import { Renderer } from '../../features/egress/renderer.ts';
import { loadedState } from '../../features/egress/states.ts';
import { chooseTargets, chosen, type TargetSelection, type Targets } from '../../features/egress/targets.ts';
import type { WorkloadNamespace } from '../../features/egress/workload-namespaces.ts';
import { parseKeyList } from '../../inventory/workload.ts';
import { parseAcl } from '../../policy/acl.ts';
import { requireKnown } from '../../policy/known-keys.ts';
import { needsUngranted } from '../../rendering/render.ts';
import { createOutput, type Output } from '../output.ts';

export async function set(container: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const choice = chosen(container, flags.all);
  const config = resolveConfig(flags, terminal.environment);
  const output = createOutput(terminal, flags.json === true);
  const grants = typeof flags.rules === 'string' ? parseKeyList(flags.rules) : undefined;
  if (await isListening(config.socket)) {
    const rules =
      grants === undefined ? { kind: 'own' } : { kind: 'set', grants, force: flags.force === true };
    const body = { container: choice, rules };
    const reply = await new ApiClient(config.socket).post('/v1/overrides', body, OverrideReplySchema);
    return report(reply.results, 'rules loaded', output);
  }
  if (grants !== undefined && flags.force !== true) await requireInConsul(grants, config);
  const results = await setOnce({ choice, grants, mode: config.mode }, config, terminal);
  report(results, 'rules loaded', output);
}

async function requireInConsul(grants: readonly string[], config: Config): Promise<void> {
  const consul = openConsul(config);
  try {
    requireKnown(grants, parseAcl(await consul.readRules()));
  } finally {
    consul.close();
  }
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

async function setOnce(
  wish: TargetSelection,
  config: Config,
  terminal: Terminal,
): Promise<readonly Result[]> {
  const template = openTemplate(config);
  const engine = await openEngine(config, terminal, toolLogger(terminal));
  const consul = openConsul(config);
  try {
    const targets = chooseTargets(await engine.containers.list(), wish);
    const lists = targets.namespaces.map(({ grants }) => grants);
    const rulesFor = await readRules(consul, config.protectedHosts, needsUngranted(template), lists);
    const context = { ...engine, renderer: new Renderer(template), log: toolLogger(terminal) };
    return await eachNamespace(targets, async (namespace) => {
      const want = rulesFor(namespace.grants);
      const { problems, ruleSet } = want.policy;
      await applyOnce(namespace, want, context);
      return { state: loadedState(template, namespace.mode, ruleSet), problems: [...problems] };
    });
  } finally {
    consul.close();
    await engine.close();
  }
}

/** One after the other, so that the lines come in order and a failure stops nothing else; the hopeless last. */
export async function eachNamespace(
  { namespaces, refused }: Targets,
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
  return [...results, ...refusedResults(refused)];
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
