/**
 * Whether a caller reaches a container's port, in sentences: each way, and each gate on it.
 */
import type { CallerAnswer, ExplainInAnswer, WayAnswer } from '../../diagnostics/explain-in.ts';
import type { GateAnswer, GateOutcome } from '../../diagnostics/gate-answer.ts';
import type { Colour, Style } from '../../format/style.ts';

const COLOURS: Readonly<Record<GateOutcome, Colour>> = {
  passes: 'green',
  denies: 'red',
  records: 'yellow',
  unknown: 'yellow',
};

export function formatExplainIn(answer: ExplainInAnswer, style: Style): string {
  const { source, callers } = answer;
  if (callers === undefined) return formatCaller(answer, { ...answer, name: source }, style);
  return callers
    .map((one) => formatCaller(answer, { ...one, name: `${source} at ${one.source} (${one.node})` }, style))
    .join('\n\n');
}

type Named = Omit<CallerAnswer, 'node' | 'source'> & { readonly name: string };

function formatCaller(
  { container, traffic }: ExplainInAnswer,
  { name, ways, passes }: Named,
  style: Style,
): string {
  const outcome = passes ? style('green', 'can reach') : style('red', 'cannot reach');
  const lines = [`${name} ${outcome} ${traffic} of ${container}.`];
  if (ways.length === 0)
    lines.push(
      `${container} has no address of the caller's family, and no port of this host leads to ${traffic}.`,
    );
  return [...lines, ...ways.map((one) => formatWay(one, style))].join('\n\n');
}

function formatWay({ to, gates, passes }: WayAnswer, style: Style): string {
  const width = Math.max(...gates.map(({ gate }) => gate.length));
  return [
    `To ${to}: ${passes ? style('green', 'passes') : style('red', 'denied')}`,
    ...gates.map((gate) => formatGate(gate, width, style)),
  ].join('\n');
}

const formatGate = ({ gate, outcome, reason }: GateAnswer, width: number, style: Style): string =>
  `  ${gate.padEnd(width)}  ${style(COLOURS[outcome], outcome.padEnd(7))}  ${reason}`;
