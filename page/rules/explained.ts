/**
 * The answer of `egresstrator explain` in its own words.
 */
import { formatExplanation, formatHost, isIsolated } from '../../src/cli/format/explain.ts';
import { formatNameLines } from '../../src/cli/format/explain-names.ts';
import { shown } from '../../src/common/text.ts';
import type { ExplainAnswer } from '../../src/diagnostics/explain-answer.ts';

/** One destination of what was asked. */
export interface Explained {
  readonly isReachable: boolean;
  /** The first line is the answer, the others say why. */
  readonly text: string;
}

export function explained({ explained: answer }: ExplainAnswer): readonly Explained[] {
  const fit = shown(answer);
  if ('host' in fit) return [{ isReachable: fit.reasons.length > 0, text: formatHost(fit) }];
  if ('name' in fit) return [{ isReachable: fit.lines.length > 0, text: formatNameLines(fit) }];
  return fit.explanations.map((one) => ({
    isReachable: one.passes && !isIsolated(fit, one),
    text: formatExplanation(fit, one, (_colour, text) => text),
  }));
}
