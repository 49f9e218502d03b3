/**
 * Where each node and edge is drawn: three columns, in an order that depends on the names alone, so that a small change
 * moves little. Pure.
 */
import { type Edge, type Graph, type Links, linksOf, type Node } from './graph.ts';

export interface Box {
  readonly node: Node;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export interface Curve {
  readonly edge: Edge;
  /** The path in SVG's notation. */
  readonly path: string;
}

export interface Layout {
  readonly boxes: readonly Box[];
  readonly curves: readonly Curve[];
  readonly height: number;
}

const COLUMNS = [
  { x: 0, width: 250 },
  { x: 360, width: 190 },
  { x: 660, width: 300 },
] as const;

export const WIDTH = 960;
export const BOX_HEIGHT = 28;
const STEP = 36;

export function layoutOf(graph: Graph): Layout {
  const links = linksOf(graph);
  const columns = ([0, 1, 2] as const).map((column) => graph.nodes.filter((node) => node.column === column));
  const rows = Math.max(1, ...columns.map(({ length }) => length));
  const last = (rows - 1) * STEP;
  const places = new Map<string, number>();
  for (const nodes of columns) place(nodes, links, places, last);
  const boxes = graph.nodes.map((node) => ({
    ...{ node, ...COLUMNS[node.column], y: places.get(node.id) ?? 0 },
  }));
  const byId = new Map(boxes.map((box) => [box.node.id, box]));
  return {
    boxes: boxes.toSorted((one, other) => one.node.column - other.node.column || one.y - other.y),
    curves: graph.edges.flatMap((edge) => curveOf(edge, byId)),
    height: last + BOX_HEIGHT,
  };
}

/** The first column is spread evenly; nodes of the others stand near the middle of those that lead to them. */
function place(nodes: readonly Node[], { to }: Links, places: Map<string, number>, last: number): void {
  const gap = nodes.length > 1 ? last / (nodes.length - 1) : 0;
  const wanted = new Map(
    nodes.map(({ id, column }, at) => {
      const near = column === 0 ? [] : (to.get(id) ?? []).flatMap(({ from }) => places.get(from) ?? []);
      const middle = near.reduce((sum, y) => sum + y, 0) / near.length;
      const even = column === 0 ? Math.min(gap, 2 * STEP) * at : last;
      return [id, near.length === 0 ? even : middle];
    }),
  );
  const ordered = nodes.toSorted((one, other) => (wanted.get(one.id) ?? 0) - (wanted.get(other.id) ?? 0));
  const ys = ordered.map(({ id }) => wanted.get(id) ?? 0);
  for (let at = 1; at < ys.length; at += 1) ys[at] = Math.max(ys[at] ?? 0, (ys[at - 1] ?? 0) + STEP);
  let most = last;
  for (let at = ys.length - 1; at >= 0; at -= 1) {
    ys[at] = Math.min(ys[at] ?? 0, most);
    most = (ys[at] ?? 0) - STEP;
  }
  for (const [at, { id }] of ordered.entries()) places.set(id, Math.round(ys[at] ?? 0));
}

function curveOf(edge: Edge, boxes: ReadonlyMap<string, Box>): readonly Curve[] {
  const [from, to] = [boxes.get(edge.from), boxes.get(edge.to)];
  if (from === undefined || to === undefined) return [];
  const [x1, y1] = [from.x + from.width, from.y + BOX_HEIGHT / 2];
  const [x2, y2] = [to.x, to.y + BOX_HEIGHT / 2];
  const bend = Math.min(120, (x2 - x1) / 2);
  return [{ edge, path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }];
}
