/**
 * The picture in SVG. What is pointed at, or has the focus, shows the paths through it.
 */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { many } from '../../../src/format/values.ts';
import { type IconName, PATHS } from '../../ui/icon-paths.ts';
import { lookOf } from '../../ui/state-looks.ts';
import { type Graph, linksOf, type Node, type Paths, pathsThrough } from './graph.ts';
import { BOX_HEIGHT, type Box, type Curve, layoutOf, WIDTH } from './layout.ts';

/** Room for the outline of the focus. */
const EDGE = 4;

export function Drawing({ graph }: { readonly graph: Graph }) {
  const active = useSignal<string | undefined>(undefined);
  const links = useMemo(() => linksOf(graph), [graph]);
  const { boxes, curves, height } = useMemo(() => layoutOf(graph), [graph]);
  const paths = active.value === undefined ? undefined : pathsThrough(active.value, links);
  const point = (id: string | undefined): void => {
    active.value = id;
  };
  return (
    <svg
      class="picture"
      viewBox={`${-EDGE} ${-EDGE} ${WIDTH + 2 * EDGE} ${height + 2 * EDGE}`}
      aria-label="Workloads, their keys, and where these lead"
    >
      <g class="edges">
        {curves.map((curve) => (
          <Line key={`${curve.edge.from} ${curve.edge.to} ${curve.edge.kind}`} curve={curve} paths={paths} />
        ))}
      </g>
      {boxes.map((box) => (
        <NodeBox
          key={box.node.id}
          box={box}
          says={sayOf(box.node, links)}
          look={lookIn(paths?.nodes, box.node.id)}
          onPoint={point}
        />
      ))}
    </svg>
  );
}

const lookIn = <T,>(chosen: ReadonlySet<T> | undefined, one: T): string => {
  if (chosen === undefined) return '';
  return chosen.has(one) ? 'on' : 'off';
};

const Line = ({
  curve: { edge, path },
  paths,
}: {
  readonly curve: Curve;
  readonly paths: Paths | undefined;
}) => (
  <path class={`${edge.kind} ${lookIn(paths?.edges, edge)}`} d={path}>
    {edge.packets !== undefined && <title>{many(edge.packets, 'denied packet')}</title>}
  </path>
);

/** What readers hear beside the label. */
function sayOf(
  { id, kind, column, state, isMissing }: Node,
  { from, to }: ReturnType<typeof linksOf>,
): string {
  const out = from.get(id) ?? [];
  const denied = out.filter((edge) => edge.kind === 'denied').length;
  if (column === 0)
    return [
      ...(state === undefined ? [] : [state]),
      many(out.length - denied, 'key'),
      ...(denied > 0 ? [`${denied} denied`] : []),
    ].join(', ');
  const into = to.get(id) ?? [];
  if (kind === 'key') return isMissing ? 'not in Consul' : many(into.length, 'workload');
  const deniedTo = into.filter((edge) => edge.kind === 'denied').length;
  return deniedTo === into.length
    ? `denied to ${deniedTo}`
    : `allowed by ${many(into.length - deniedTo, 'key')}`;
}

/** Letters that have room. */
const ROOM = [29, 23, 38] as const;

const shortened = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

/** Where it has no state. */
const ICONS: Readonly<Record<Node['kind'], IconName>> = {
  ...{ workload: 'host', key: 'key', destination: 'right', denied: 'ban', group: 'list' },
};

function NodeBox({
  box: { node, x, y, width },
  says,
  look,
  onPoint,
}: {
  readonly box: Box;
  readonly says: string;
  readonly look: string;
  readonly onPoint: (id: string | undefined) => void;
}) {
  const { id, kind, column, label, state, href, isMissing, isDenied } = node;
  const { icon, tone } = state === undefined ? { icon: ICONS[kind], tone: '' } : lookOf(state);
  return (
    <a
      class={`node ${isDenied === true ? 'denied' : kind} ${isMissing === true ? 'missing' : ''} ${look}`}
      href={href}
      aria-label={`${label}: ${says}`}
      onPointerEnter={() => onPoint(id)}
      onPointerLeave={() => onPoint(undefined)}
      onFocus={() => onPoint(id)}
      onBlur={() => onPoint(undefined)}
    >
      <title>{`${label}: ${says}`}</title>
      <rect x={x} y={y} width={width} height={BOX_HEIGHT} rx="6" />
      <svg
        class={`icon ${tone}`}
        x={x + 8}
        y={y + 7}
        width="14"
        height="14"
        viewBox="0 0 16 16"
        aria-hidden="true"
      >
        <path d={isMissing === true ? PATHS.cross : PATHS[icon]} />
      </svg>
      <text class={column === 2 && kind !== 'group' ? 'code' : ''} x={x + 28} y={y + 18.5}>
        {shortened(label, ROOM[column])}
      </text>
    </a>
  );
}
