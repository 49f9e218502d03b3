/**
 * The picture as a table: one row for each path. Pure.
 */
import { type Graph, linksOf, type Node } from './graph.ts';

export interface PathRow {
  readonly workload: Node;
  /** Undefined of what is denied. */
  readonly key?: Node | undefined;
  /** Undefined of a key without a rule. */
  readonly destination?: Node | undefined;
  readonly isDenied: boolean;
  readonly packets?: number | undefined;
}

export function rowsOf(graph: Graph): readonly PathRow[] {
  const { from } = linksOf(graph);
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  return graph.nodes
    .filter(({ column }) => column === 0)
    .flatMap((workload): readonly PathRow[] => {
      const rows = (from.get(workload.id) ?? []).flatMap(({ to, kind, packets }): readonly PathRow[] => {
        if (kind === 'denied') return [{ workload, destination: byId.get(to), isDenied: true, packets }];
        const ends = from.get(to) ?? [];
        const key = byId.get(to);
        if (ends.length === 0) return [{ workload, key, isDenied: false }];
        return ends.map((end) => ({ workload, key, destination: byId.get(end.to), isDenied: false }));
      });
      return rows.length === 0 ? [{ workload, isDenied: false }] : rows;
    });
}
