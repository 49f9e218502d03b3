/**
 * `egresstrator explain`: shows whether a container can reach an address or a service, why, and what would change it.
 */

import { messageOf, UnansweredError, UsageError, UserError } from '../../common/errors.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import type { ExplainQuestion } from '../../diagnostics/explain-answer.ts';
import { parseTarget } from '../../diagnostics/target.ts';
import { commandContext, DENYLIST_NOTE } from '../diagnostics/context.ts';
import { ask } from '../diagnostics/open.ts';
import { formatExplanation, formatHost, isIsolated } from '../format/explain.ts';

/** With --exit-code, exit code 1 is the answer "no", so an error exits with 2. */
export async function explain(question: ExplainQuestion, flags: Flags, terminal: Terminal): Promise<void> {
  const target = parseTarget(question.target, question.traffic);
  if (flags.exitCode !== true) {
    await answer(question, flags, terminal);
    return;
  }
  if (target.kind === 'host')
    throw new UsageError(
      `--exit-code needs a protocol and a port: add them after ${question.target}, such as tcp/443`,
    );
  const isReachable = await answer(question, flags, terminal).catch((error: unknown) => {
    throw error instanceof UsageError ? error : new UnansweredError(messageOf(error), { cause: error });
  });
  if (!isReachable) throw new UserError(`${question.container} cannot reach all of it (--exit-code)`);
}

/** Prints why; true if everything that was asked about passes. */
async function answer(question: ExplainQuestion, flags: Flags, terminal: Terminal): Promise<boolean> {
  const context = commandContext(flags, terminal);
  const { output, style } = context;
  const { denylist, explained } = await ask(context, (diagnostics) => diagnostics.explain(question));
  if ('host' in explained) {
    if (denylist) output.note(DENYLIST_NOTE);
    output.result(explained, formatHost);
    return explained.reasons.length > 0;
  }
  output.result(explained, (seen) =>
    seen.explanations.map((one) => formatExplanation(seen, one, style)).join('\n\n'),
  );
  return explained.explanations.every((one) => one.passes && !isIsolated(explained, one));
}
