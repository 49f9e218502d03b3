/**
 * `egresstrator explain`: shows whether a container can reach an address or a service, why, and what would change it.
 */

import { messageOf, UnansweredError, UsageError, UserError } from '../../common/errors.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import type { ExplainQuestion } from '../../diagnostics/explain-answer.ts';
import type { ExplainInQuestion } from '../../diagnostics/explain-in.ts';
import { parseTarget } from '../../diagnostics/target.ts';
import { formatExplanation, formatHost, isIsolated } from '../../format/explain.ts';
import { formatNameLines } from '../../format/explain-names.ts';
import { DENYLIST_NOTE } from '../../format/values.ts';
import { commandContext } from '../diagnostics/context.ts';
import { ask } from '../diagnostics/open.ts';
import { formatExplainIn } from '../format/explain-in.ts';

/** With --exit-code, exit code 1 is the answer "no", so an error exits with 2. */
export async function explain(question: ExplainQuestion, flags: Flags, terminal: Terminal): Promise<void> {
  if (flags.in === true) return explainIn(question, flags, terminal);
  const target = parseTarget(question.target, question.traffic);
  if (flags.exitCode === true && (target.kind === 'host' || target.kind === 'names'))
    throw new UsageError(
      `--exit-code needs a protocol and a port: add them after ${question.target}, such as tcp/443`,
    );
  const no = `${question.container} cannot reach all of it (--exit-code)`;
  await exitBy(flags, answer(question, flags, terminal), no);
}

/** Whether a caller reaches a port of the container. */
async function explainIn(
  { container, target: source, traffic }: ExplainQuestion,
  flags: Flags,
  terminal: Terminal,
): Promise<void> {
  if (traffic === undefined)
    throw new UsageError(`--in needs a port of ${container}: add it after ${source}, such as tcp/80`);
  const question = { container, source, traffic };
  const no = `${source} cannot reach ${traffic} of ${container} (--exit-code)`;
  await exitBy(flags, answerIn(question, flags, terminal), no);
}

/** With --exit-code, `no` is the error where the answer is no, and an answer that failed is told apart from it. */
async function exitBy(flags: Flags, answered: Promise<boolean>, no: string): Promise<void> {
  if (flags.exitCode !== true) {
    await answered;
    return;
  }
  const isReachable = await answered.catch((error: unknown) => {
    throw error instanceof UsageError ? error : new UnansweredError(messageOf(error), { cause: error });
  });
  if (!isReachable) throw new UserError(no);
}

/** Prints each way and its gates; true if one of them passes. */
async function answerIn(question: ExplainInQuestion, flags: Flags, terminal: Terminal): Promise<boolean> {
  const context = commandContext(flags, terminal);
  const { output, style } = context;
  const explained = await ask(context, (diagnostics) => diagnostics.explainIn(question));
  output.result(explained, (seen) => formatExplainIn(seen, style));
  return explained.passes;
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
  if ('name' in explained) {
    output.result(explained, formatNameLines);
    return explained.lines.length > 0;
  }
  output.result(explained, (seen) =>
    seen.explanations.map((one) => formatExplanation(seen, one, style)).join('\n\n'),
  );
  return explained.explanations.every((one) => one.passes && !isIsolated(explained, one));
}
