/**
 * Counts how often each port is covered: ranges are added and removed in any number and with any overlap, each in
 * some 30 steps. The gaps inside a range are found without a walk over the covered ports.
 *
 * A binary tree over all ports. A range is counted at the few nodes that cover it. A node also knows whether its ports
 * are covered everywhere, nowhere, or in part.
 *
 * `free-ports.ts` is smaller and faster, but its ranges must not overlap. Those of two rule sets that are compared do.
 */
import type { Range } from './ranges.ts';

const PORTS = 65_536;

const NOWHERE = 0;
const IN_PART = 1;
const EVERYWHERE = 2;

export class CoveredPorts {
  /** The halves of node n are 2n and 2n + 1; the root is 1, the ports follow from `PORTS` on. */
  readonly #counts = new Int32Array(2 * PORTS);
  readonly #states = new Uint8Array(2 * PORTS);

  add(range: Range): void {
    this.#change(1, 0, PORTS, range, 1);
  }

  /** Removes a range that was added in exactly this form. */
  remove(range: Range): void {
    this.#change(1, 0, PORTS, range, -1);
  }

  /** The parts of a range that are not covered, as a normal list; undefined for more than `most` ranges. */
  gaps(range: Range, most: number): readonly Range[] | undefined {
    const found: Range[] = [];
    this.#collect(1, 0, PORTS, range, most, found);
    return found.length > most ? undefined : found;
  }

  #change(node: number, first: number, size: number, range: Range, by: 1 | -1): void {
    const last = first + size - 1;
    if (last < range.first || range.last < first) return;
    if (range.first <= first && last <= range.last) {
      this.#counts[node] = (this.#counts[node] ?? 0) + by;
    } else {
      const half = size / 2;
      this.#change(2 * node, first, half, range, by);
      this.#change(2 * node + 1, first + half, half, range, by);
    }
    this.#states[node] = this.#stateOf(node, size);
  }

  #stateOf(node: number, size: number): number {
    if ((this.#counts[node] ?? 0) > 0) return EVERYWHERE;
    if (size === 1) return NOWHERE;
    const [lower, upper] = [this.#states[2 * node] ?? NOWHERE, this.#states[2 * node + 1] ?? NOWHERE];
    return lower === upper ? lower : IN_PART;
  }

  /** Stops at the first one too many. */
  #collect(node: number, first: number, size: number, range: Range, most: number, found: Range[]): void {
    const last = first + size - 1;
    const state = this.#states[node] ?? NOWHERE;
    if (last < range.first || range.last < first || state === EVERYWHERE || found.length > most) return;
    if (state === NOWHERE) {
      extend(found, { first: Math.max(first, range.first), last: Math.min(last, range.last) });
      return;
    }
    const half = size / 2;
    this.#collect(2 * node, first, half, range, most, found);
    this.#collect(2 * node + 1, first + half, half, range, most, found);
  }
}

/** Appends a range; one that touches the last becomes one with it. */
function extend(ranges: Range[], range: Range): void {
  const last = ranges.at(-1);
  if (last !== undefined && last.last + 1 === range.first)
    ranges[ranges.length - 1] = { first: last.first, last: range.last };
  else ranges.push(range);
}
