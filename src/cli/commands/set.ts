/**
 * `egresstrator set`: loads egress rules in running containers. A running controller keeps them until the container
 * stops; without a controller they are loaded once, by this process.
 */

import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { applyOnce, readRules } from '../../daemon/apply-once.ts';
import type { Result } from '../../daemon/override-results.ts';
import { openConsul, openEngine, openTemplate, toolLogger } from '../../daemon/wiring.ts';
import { NAMES_NOT_IN_USE, nameProblems } from '../../features/egress/name-rules.ts';
import { Renderer } from '../../features/egress/renderer.ts';
import { loadedState } from '../../features/egress/states.ts';
import { chooseTargets, chosen, type TargetSelection } from '../../features/egress/targets.ts';
import { needsUngranted } from '../../features/egress/template.ts';
import { parseKeyList } from '../../inventory/workload.ts';
import { parseAcl } from '../../policy/acl.ts';
import { requireKnown } from '../../policy/known-keys.ts';
import { requireController } from '../controller.ts';
import { createOutput } from '../output.ts';
import { eachNamespace, overrideRules, report } from '../overrides.ts';
import { withProgress } from '../progress.ts';

export async function set(container: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const choice = chosen(container, flags.all);
  const config = resolveConfig(flags, terminal.environment);
  const grants = typeof flags.rules === 'string' ? parseKeyList(flags.rules) : undefined;
  const selection = { choice, grants, mode: config.mode };
  const load = () => loadRules(selection, flags.force === true, config, terminal);
  const results = await withProgress('Loading rules', terminal, load);
  report(results, 'rules loaded', createOutput(terminal, flags.json === true));
}

async function loadRules(
  selection: TargetSelection,
  force: boolean,
  config: Config,
  terminal: Terminal,
): Promise<readonly Result[]> {
  const { choice: container, grants } = selection;
  const controller = await requireController(config);
  if (controller !== undefined) {
    const rules = grants === undefined ? { kind: 'own' } : { kind: 'set', grants, force };
    return overrideRules(controller, { container, rules });
  }
  if (grants !== undefined && !force) await requireInConsul(grants, config);
  return setOnce(selection, config, terminal);
}

async function requireInConsul(grants: readonly string[], config: Config): Promise<void> {
  const consul = openConsul(config);
  try {
    requireKnown(grants, parseAcl(await consul.readRules()));
  } finally {
    consul.close();
  }
}

async function setOnce(
  selection: TargetSelection,
  config: Config,
  terminal: Terminal,
): Promise<readonly Result[]> {
  const template = openTemplate(config);
  const engine = await openEngine(config, terminal, toolLogger(terminal));
  const consul = openConsul(config);
  try {
    const targets = chooseTargets(await engine.containers.list(), selection);
    const lists = targets.namespaces.map(({ grants }) => grants);
    const rulesFor = await readRules(consul, config.protectedHosts, needsUngranted(template), lists);
    const context = { ...engine, renderer: new Renderer(template), log: toolLogger(terminal) };
    return await eachNamespace(targets, async (namespace) => {
      const want = rulesFor(namespace.grants);
      const support = { template, unavailable: NAMES_NOT_IN_USE };
      const problems = [...want.policy.problems, ...nameProblems(namespace, want.policy, support)];
      await applyOnce(namespace, want, context);
      return { state: loadedState(template, namespace.mode, want.policy), problems };
    });
  } finally {
    consul.close();
    await engine.close();
  }
}
