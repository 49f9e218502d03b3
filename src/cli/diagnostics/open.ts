/**
 * Who answers questions: a running controller, else this command itself.
 */
import { askController } from '../../daemon/api/diagnostics-client.ts';
import type { Diagnostics } from '../../diagnostics/diagnostics.ts';
import { findController } from '../controller.ts';
import { withProgress } from '../progress.ts';
import type { CommandContext } from './context.ts';

/** Asks one question, and says on a terminal what takes long. */
export const ask = <T>(
  context: CommandContext,
  question: (diagnostics: Diagnostics) => Promise<T>,
): Promise<T> =>
  withProgress('Reading rules, services and containers', context.terminal, async () =>
    question(await openDiagnostics(context)),
  );

export async function openDiagnostics(context: CommandContext): Promise<Diagnostics> {
  const { config, output } = context;
  const found = await findController(config);
  if (found !== undefined && found.difference === undefined) return askController(found.client);
  if (found !== undefined)
    output.note(`the controller at ${config.socket} is not asked: it ${found.difference}`);
  // Read only where it is needed: what speaks with Consul and the Engine takes a while to load.
  const { diagnosticsWithoutDaemon } = await import('./without-daemon.ts');
  return diagnosticsWithoutDaemon(context);
}
