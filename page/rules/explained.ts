/**
 * The answer of `egresstrator explain` in its own words.
 */

import { shown } from '../../src/common/text.ts';
import type { ExplainAnswer } from '../../src/diagnostics/explain-answer.ts';
import { formatExplanation, formatHost, isIsolated } from '../../src/format/explain.ts';
import { formatNameLines } from '../../src/format/explain-names.ts';

/** One destination of what was asked. */
export interface Explained {
  /** `passed`: no rule allows it, but it passes in audit mode. */
  readonly state: 'allowed' | 'passed' | 'denied';
  /** In a sentence. */
  readonly answer: string;
  /** Why, and what would change it: lines, or empty. */
  readonly why: string;
}

export function explained({ explained: answer }: ExplainAnswer): readonly Explained[] {
  const fit = shown(answer);
  if ('host' in fit) return [inParts(fit.reasons.length > 0 ? 'allowed' : 'denied', formatHost(fit))];
  if ('name' in fit) return [inParts(fit.lines.length > 0 ? 'allowed' : 'denied', formatNameLines(fit))];
  return fit.explanations.map((one) => {
    const isReachable = one.passes && !isIsolated(fit, one);
    const state = !isReachable ? 'denied' : one.allowed ? 'allowed' : 'passed';
    return inParts(
      state,
      formatExplanation(fit, one, (_colour, text) => text),
    );
  });
}

function inParts(state: Explained['state'], text: string): Explained {
  const [answer = '', ...why] = text.split('\n');
  return { state, answer, why: why.join('\n') };
}
