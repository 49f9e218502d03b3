/**
 * The figures as a table in Markdown, which docs/performance.md holds, and as JSON.
 */
import { cpus, release, totalmem } from 'node:os';
import { type Figure, isMet, ratioOf } from './measure.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
}

export const thisMachine = (): Machine => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
});

export function table(figures: readonly Figure[]): string {
  const groups = [...new Set(figures.map(({ group }) => group))];
  return groups
    .map((group) =>
      groupTable(
        group,
        figures.filter((one) => one.group === group),
      ),
    )
    .join('\n');
}

function groupTable(group: string, figures: readonly Figure[]): string {
  const head = ['what', 'figure', 'floor', 'ratio', 'target'];
  const rows = [head, ...figures.map(cells)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const [first = head, ...others] = rows;
  return [`### ${group}`, '', line(first), rule, ...others.map(line), ''].join('\n');
}

function cells(figure: Figure): readonly string[] {
  const ratio = ratioOf(figure);
  const met = isMet(figure);
  const mark = met === undefined ? '' : met ? ' ✔' : ' ✘';
  const floor = figure.floor === undefined ? '' : `${digits(figure.floor)} ${figure.floorName ?? ''}`.trim();
  return [
    figure.what,
    `${digits(figure.value)} ${figure.unit}`,
    floor,
    ratio === undefined ? '' : ratio.toFixed(2),
    `${targetOf(figure)}${mark}`,
  ];
}

const targetOf = ({ target, most, unit }: Figure): string =>
  most === undefined ? (target ?? '') : `≤ ${most} ${unit}`;

/** Three significant digits. */
const digits = (value: number): string =>
  value >= 100 ? String(Math.round(value)) : Number(value.toPrecision(3)).toString();
