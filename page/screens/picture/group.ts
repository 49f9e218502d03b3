/**
 * Makes a large graph one that can be looked at: nodes that are alike become one. Pure.
 */
import { many } from '../../../src/format/values.ts';
import { type Edge, type Graph, linksOf, type Node } from './graph.ts';

/** The most nodes that are drawn one by one. */
export const MOST_NODES = 60;

export interface Grouped extends Graph {
  /** Nodes before. */
  readonly all: number;
  readonly isGrouped: boolean;
}

/**
 * Destinations with the same sources first, then the workloads of a project, then all that is denied, then workloads with
 * the same keys.
 */
export function grouped(graph: Graph, most = MOST_NODES): Grouped {
  const steps = [byEqualEdges(2), byProject, byEqualEdges(2), byDenial, byKeys, byRank(most / 3)];
  let next = graph;
  for (const step of steps) if (next.nodes.length > most) next = step(next);
  return { ...next, all: graph.nodes.length, isGrouped: next !== graph };
}

/** Which nodes become one, and which one that is. */
type GroupOf = (node: Node) => string | undefined;

/** Nodes of one column whose edges at the other ends are equal. */
const byEqualEdges =
  (column: 0 | 2) =>
  (graph: Graph): Graph => {
    const links = linksOf(graph)[column === 0 ? 'from' : 'to'];
    const idOf: GroupOf = ({ id, column: own }) => {
      if (own !== column) return undefined;
      const ends = (links.get(id) ?? []).map(({ from, to, kind }) => `${kind} ${column === 0 ? to : from}`);
      return ends.length < 2 ? (ends[0] ?? '') : ends.toSorted().join('\0');
    };
    return merged(graph, idOf, (nodes) => ({
      label: column === 0 ? many(sizeOf(nodes), 'workload') : destinations(nodes),
      href: hrefOf(nodes, links, column),
    }));
  };

const destinations = (nodes: readonly Node[]): string =>
  nodes.every(isDenied)
    ? `${sizeOf(nodes).toLocaleString('en-US')} denied`
    : many(sizeOf(nodes), 'destination');

const isDenied = (node: Node): boolean => node.isDenied ?? node.kind === 'denied';

const sizeOf = (nodes: readonly Node[]): number => nodes.reduce((sum, { size = 1 }) => sum + size, 0);

/** Workloads with the same keys; not where almost all have the same, as nothing would be left to look at. */
const byKeys = (graph: Graph): Graph => {
  const next = byEqualEdges(0)(graph);
  return next.nodes.filter(({ column }) => column === 0).length < FEWEST ? graph : next;
};

const FEWEST = 4;

/** What is denied and allowed to nobody. */
const byDenial = (graph: Graph): Graph =>
  merged(
    graph,
    (node) => (isDenied(node) ? 'denied' : undefined),
    (nodes) => ({ label: destinations(nodes), href: '/denied' }),
  );

/** To the first of the nodes that they have in common. */
function hrefOf(nodes: readonly Node[], links: ReadonlyMap<string, readonly Edge[]>, column: 0 | 2): string {
  const [edge] = links.get(nodes[0]?.id ?? '') ?? [];
  const id = column === 0 ? edge?.to : edge?.from;
  return `/picture?q=${encodeURIComponent(id === undefined ? '' : id.slice(id.indexOf(' ') + 1))}`;
}

const byProject = (graph: Graph): Graph =>
  merged(
    graph,
    ({ kind, project }) => (kind === 'workload' && project !== '' ? project : undefined),
    (nodes, project) => ({
      label: `${project} (${many(sizeOf(nodes), 'workload')})`,
      href: `/picture?q=${encodeURIComponent(project)}`,
    }),
  );

const OTHERS = ['workloads', 'keys', 'destinations'] as const;

/** Of each column, those with the most edges, and all others as one. */
const byRank =
  (most: number) =>
  (graph: Graph): Graph => {
    const { from, to } = linksOf(graph);
    const weight = ({ id }: Node): number => (from.get(id)?.length ?? 0) + (to.get(id)?.length ?? 0);
    const shown = new Set(
      [...Map.groupBy(graph.nodes, ({ column }) => column).values()].flatMap((nodes) =>
        nodes
          .toSorted((one, other) => weight(other) - weight(one))
          .slice(0, nodes.length > most ? most - 1 : most)
          .map(({ id }) => id),
      ),
    );
    return merged(
      graph,
      ({ id, column }) => (shown.has(id) ? undefined : String(column)),
      (nodes) => ({
        label: `${sizeOf(nodes).toLocaleString('en-US')} more ${OTHERS[nodes[0]?.column ?? 0]}`,
        href: '/picture?view=table',
      }),
    );
  };

/** A group of one stays as it is. */
function merged(
  { nodes, edges }: Graph,
  groupOf: GroupOf,
  describe: (nodes: readonly Node[], group: string) => Pick<Node, 'label' | 'href'>,
): Graph {
  const target = new Map<string, Node>();
  for (const [group, inside] of Map.groupBy(nodes, groupOf)) {
    const [first] = inside;
    if (group === undefined || first === undefined || inside.length < 2) continue;
    const column = first.column;
    const [size, allDenied] = [sizeOf(inside), inside.every(isDenied)];
    const one: Node = {
      ...{ id: `group ${column} ${group}`, column, kind: 'group', size, isDenied: allDenied },
      ...describe(inside, group),
    };
    for (const { id } of inside) target.set(id, one);
  }
  const idOf = (id: string): string => target.get(id)?.id ?? id;
  return {
    nodes: [...new Set(nodes.map((node) => target.get(node.id) ?? node))],
    edges: joined(edges.map((edge) => ({ ...edge, from: idOf(edge.from), to: idOf(edge.to) }))),
  };
}

/** One for each pair and kind, with the packets of all. */
function joined(edges: readonly Edge[]): readonly Edge[] {
  const known = new Map<string, Edge>();
  for (const edge of edges) {
    const id = [edge.kind, edge.from, edge.to].join('\0');
    const packets = (known.get(id)?.packets ?? 0) + (edge.packets ?? 0);
    known.set(id, { ...edge, ...(edge.kind === 'denied' && { packets }) });
  }
  return [...known.values()];
}
