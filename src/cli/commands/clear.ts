/**
 * `egresstrator clear`: removes the egress rules of running containers. A running controller keeps it so until the
 * container stops.
 */

import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { applyOnce } from '../../daemon/apply-once.ts';
import { keptIngress, type Result } from '../../daemon/override-results.ts';
import { openEngine, openTemplate, toolLogger } from '../../daemon/wiring.ts';
import { Renderer } from '../../features/egress/renderer.ts';
import { type ContainerChoice, chooseTargets, chosen } from '../../features/egress/targets.ts';
import { confirm } from '../confirm.ts';
import { requireController } from '../controller.ts';
import { createOutput } from '../output.ts';
import { eachNamespace, overrideRules, report } from '../overrides.ts';
import { withProgress } from '../progress.ts';

export async function clear(container: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const choice = chosen(container, flags.all);
  const config = resolveConfig(flags, terminal.environment);
  const json = flags.json === true;
  const output = createOutput(terminal, json);
  if ('all' in choice) {
    if (flags.yes !== true) output.note('This removes the egress rules of all running containers.');
    await confirm({ yes: flags.yes, json, otherwise: 'nothing was cleared' }, terminal);
  }
  const remove = async () => {
    const controller = await requireController(config);
    return controller === undefined
      ? clearOnce(choice, config, terminal)
      : overrideRules(controller, { container: choice, rules: { kind: 'clear' } });
  };
  report(await withProgress('Removing rules', terminal, remove), 'rules removed', output);
}

async function clearOnce(
  choice: ContainerChoice,
  config: Config,
  terminal: Terminal,
): Promise<readonly Result[]> {
  const log = toolLogger(terminal);
  const engine = await openEngine(config, terminal, log);
  try {
    const context = { ...engine, renderer: new Renderer(openTemplate(config)), log };
    const selection = { choice, grants: 'name' in choice ? [] : undefined, mode: config.mode };
    return await eachNamespace(
      chooseTargets(await engine.containers.list(), selection),
      async (namespace) => {
        await applyOnce(namespace, undefined, context);
        return { state: 'cleared', problems: keptIngress(namespace.inside) };
      },
    );
  } finally {
    await engine.close();
  }
}
