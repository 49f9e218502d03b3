/**
 * Figures: how they are measured, and how they are reported. Each has a floor from the same run, because
 * absolute figures depend on the machine and ratios do not.
 */

export interface Figure {
  readonly group: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The same without egresstrator, or the least that is possible; from the same run. */
  readonly floor?: number;
  readonly floorName?: string;
  /** The target of the ratio value ÷ floor: `≤ 1.3`, `≥ 0.9`. */
  readonly target?: string;
  /** An upper limit of the figure itself, in its unit. */
  readonly most?: number;
}

export interface Sample {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function sample(values: readonly number[]): Sample {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return { median: at(Math.floor((sorted.length - 1) / 2)), least: at(0), most: at(sorted.length - 1) };
}

/** The duration of `work` in milliseconds. */
export async function milliseconds(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** The median of `times` runs, after a first run that does not count. */
export async function medianOf(times: number, work: () => unknown): Promise<number> {
  await work();
  const taken: number[] = [];
  for (let run = 0; run < times; run += 1) taken.push(await milliseconds(work));
  return sample(taken).median;
}

export const ratioOf = ({ value, floor }: Figure): number | undefined =>
  floor === undefined || floor === 0 ? undefined : value / floor;

/** Compares a ratio with its target, or a figure with its limit; undefined if there is neither. */
export function isMet(figure: Figure): boolean | undefined {
  if (figure.most !== undefined) return figure.value <= figure.most;
  const ratio = ratioOf(figure);
  const [, sign, bound] = /^([≤≥]) ([\d.]+)$/.exec(figure.target ?? '') ?? [];
  if (ratio === undefined || sign === undefined) return undefined;
  return sign === '≤' ? ratio <= Number(bound) : ratio >= Number(bound);
}
