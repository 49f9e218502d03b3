/**
 * The picture as a graph: workloads, the keys that they hold, and where these lead; and what is denied. Pure.
 */
import { placeOf } from '../../../src/diagnostics/denied-answer.ts';
import type { LiveState } from '../../../src/live/state.ts';
import type { Acl } from '../../../src/policy/acl.ts';
import { formatRule } from '../../../src/policy/rule.ts';
import { keyPath, workloadPath } from '../../ui/addresses.ts';

export interface Node {
  readonly id: string;
  /** Workloads, keys, destinations. */
  readonly column: 0 | 1 | 2;
  readonly kind: 'workload' | 'key' | 'destination' | 'denied' | 'group';
  readonly label: string;
  /** What it is found by, beside its label. */
  readonly words?: string | undefined;
  /** Of a workload. */
  readonly state?: string | undefined;
  /** The compose project of a workload. */
  readonly project?: string | undefined;
  /** Of a group: how many nodes are in it. */
  readonly size?: number | undefined;
  /** All of a group is denied, and nothing of it is allowed to anyone. */
  readonly isDenied?: boolean | undefined;
  /** The key is not in Consul. */
  readonly isMissing?: boolean | undefined;
  readonly href: string;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: 'allowed' | 'denied';
  /** Of a denied one. */
  readonly packets?: number | undefined;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

type Tables = Pick<LiveState, 'workloads' | 'denied'>;

const ORDER = new Intl.Collator('en', { numeric: true });

/** There may be ten thousand destinations, and few of the others. */
const inOrder = (one: Node, other: Node): number => {
  if (one.column !== other.column) return one.column - other.column;
  if (one.column < 2) return ORDER.compare(one.label, other.label);
  return one.label < other.label ? -1 : 1;
};

/** Each column in the order of names. */
export function graphOf({ workloads, denied }: Tables, acl: Acl, hasDenied: boolean): Graph {
  const entries = [...workloads.values()];
  const keys = [...new Set(entries.flatMap(({ grants }) => grants))];
  const nodes = new Map<string, Node>();
  const edges: Edge[] = [];
  for (const { target, workloads: names, project = '', state, grants } of entries) {
    const id = workloadId(target);
    const words = [project, ...names].join(' ');
    nodes.set(id, {
      ...{
        id,
        column: 0,
        kind: 'workload',
        label: target,
        words,
        state,
        project,
        href: workloadPath(target),
      },
    });
    for (const key of new Set(grants)) edges.push({ from: id, to: keyId(key), kind: 'allowed' });
  }
  for (const key of keys) {
    const rules = acl.get(key)?.rules ?? [];
    const isMissing = !acl.has(key);
    const id = keyId(key);
    nodes.set(id, { id, column: 1, kind: 'key', label: key, isMissing, href: keyPath(key) });
    for (const text of new Set(rules.map(({ rule }) => formatRule(rule)))) {
      nodes.set(destinationId(text), destination(text, 'destination'));
      edges.push({ from: id, to: destinationId(text), kind: 'allowed' });
    }
  }
  if (hasDenied) addDenied(denied, nodes, edges);
  return { nodes: [...nodes.values()].toSorted(inOrder), edges };
}

const workloadId = (name: string): string => `workload ${name}`;
const keyId = (key: string): string => `key ${key}`;
const destinationId = (text: string): string => `destination ${text}`;

const destination = (text: string, kind: 'destination' | 'denied'): Node => ({
  ...{ id: destinationId(text), column: 2, kind, label: text },
  href: `/picture?q=${encodeURIComponent(text)}`,
});

/** What is denied at a service is one, whichever of its instances was meant. */
function addDenied(denied: LiveState['denied'], nodes: Map<string, Node>, edges: Edge[]): void {
  const packets = new Map<string, Edge>();
  for (const row of denied.values()) {
    const from = workloadId(row.container);
    if (!nodes.has(from)) continue;
    const text = row.services[0] ?? placeOf(row);
    const to = destinationId(text);
    if (!nodes.has(to)) nodes.set(to, destination(text, 'denied'));
    const known = packets.get(`${from} ${to}`);
    packets.set(`${from} ${to}`, {
      ...{ from, to, kind: 'denied' },
      packets: (known?.packets ?? 0) + row.packets,
    });
  }
  edges.push(...packets.values());
}

/** Edges by the node that they leave, and by the node that they reach. */
export interface Links {
  readonly from: ReadonlyMap<string, readonly Edge[]>;
  readonly to: ReadonlyMap<string, readonly Edge[]>;
}

export const linksOf = ({ edges }: Graph): Links => ({
  from: Map.groupBy(edges, ({ from }) => from),
  to: Map.groupBy(edges, ({ to }) => to),
});

export interface Paths {
  readonly nodes: ReadonlySet<string>;
  readonly edges: ReadonlySet<Edge>;
}

/** All that lies on a path through a node. */
export function pathsThrough(id: string, { from, to }: Links): Paths {
  const nodes = new Set([id]);
  const edges = new Set<Edge>();
  const follow = (start: string, links: Links['from'], end: (edge: Edge) => string): void => {
    for (const edge of links.get(start) ?? []) {
      edges.add(edge);
      nodes.add(end(edge));
      follow(end(edge), links, end);
    }
  };
  follow(id, from, (edge) => edge.to);
  follow(id, to, (edge) => edge.from);
  return { nodes, edges };
}

/** What lies on paths through nodes that have all words. */
export function found(graph: Graph, search: string): Graph {
  const wanted = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return graph;
  const links = linksOf(graph);
  const matches = graph.nodes.filter(({ label, words = '' }) => {
    const text = `${label} ${words}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
  const paths = matches.map(({ id }) => pathsThrough(id, links));
  const ids = new Set(paths.flatMap(({ nodes }) => [...nodes]));
  const edges = new Set(paths.flatMap((one) => [...one.edges]));
  return {
    nodes: graph.nodes.filter(({ id }) => ids.has(id)),
    edges: graph.edges.filter((edge) => edges.has(edge)),
  };
}
