/**
 * The check of networks.json as text: a line for each problem, as compilers print them; and what another file changes.
 */
import type { NetworksDiff } from '../../features/networks/diff.ts';
import type { Style } from '../../format/style.ts';
import { count } from '../../format/values.ts';
import type { NetworksChecked, NetworksSteps } from '../schemas/networks.ts';

export function formatNetworksCheck(checked: NetworksChecked, style: Style): string {
  const { problems, networks, ips, permits, forwards } = checked;
  const lines = problemLines(checked, style);
  const parts = [
    ...[count(networks, 'network'), count(ips, 'container'), count(permits, 'permit')],
    count(forwards, 'forward'),
  ];
  return [...lines, `${parts.join(', ')}; ${summary(problems)}`].join('\n');
}

const problemLines = (
  { file, problems }: Pick<NetworksChecked, 'file' | 'problems'>,
  style: Style,
): readonly string[] =>
  problems.map(({ severity, line, path, reason }) => {
    const place = line === undefined ? file : `${file}:${line}`;
    const what = path === undefined ? '' : `${path}: `;
    return `${place}: ${style(severity === 'error' ? 'red' : 'yellow', severity)}: ${what}${reason}`;
  });

export function formatNetworksSteps(seen: NetworksSteps, style: Style): string {
  const steps = seen.steps.map(({ action, text, path }) => {
    const sign = action === 'make' ? style('green', '+') : style('red', '-');
    return `${sign} ${text}${path === undefined ? '' : ` (${path})`}`;
  });
  const made = seen.steps.filter(({ action }) => action === 'make').length;
  const end =
    steps.length === 0
      ? 'nothing to do'
      : `${count(steps.length, 'step')}: ${made} to make, ${steps.length - made} to remove; nothing was changed`;
  return [...problemLines(seen, style), ...steps, `${end}; ${summary(seen.problems)}`].join('\n');
}

function summary(problems: NetworksChecked['problems']): string {
  if (problems.length === 0) return 'no problems';
  const number = (wanted: string) => problems.filter(({ severity }) => severity === wanted).length;
  return `${count(number('error'), 'error')}, ${count(number('warning'), 'warning')}`;
}

export function formatNetworksDiff({ added, removed }: NetworksDiff, style: Style): string {
  if (added.length + removed.length === 0) return 'no change';
  return [
    ...removed.map(({ text, path }) => `${style('red', '-')} ${text} (${path})`),
    ...added.map(({ text, path }) => `${style('green', '+')} ${text} (${path})`),
  ].join('\n');
}
