/**
 * Chooses who answers questions: a running controller, otherwise this process.
 */
import { askController } from '../../daemon/api/diagnostics-client.ts';
import type { Diagnostics } from '../../diagnostics/diagnostics.ts';
import { findController } from '../controller.ts';
import { withProgress } from '../progress.ts';
import type { CommandContext } from './context.ts';

/** Asks one question, and shows progress on a terminal. */
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
  // Imported only if needed, because the clients of Consul and the Engine take a while to load.
  const { diagnosticsWithoutDaemon } = await import('./without-daemon.ts');
  return diagnosticsWithoutDaemon(context);
}
