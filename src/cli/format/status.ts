/**
 * The state of a host, as text.
 */
import type { z } from 'zod';
import type { StatusReply } from '../../daemon/api/schema.ts';
import { unrecorded } from '../../diagnostics/unavailable.ts';
import type { NamespaceState } from '../../features/egress/states.ts';
import { unlisted } from '../../format/denied-record.ts';
import { BY_HAND, DNS_MEANING, namesText, STATE_MEANING } from '../../format/meaning.ts';
import { RAW_LINE, RAW_MARK, RAW_REMEDY, rawNote } from '../../format/raw-sockets.ts';
import type { Colour, Style } from '../../format/style.ts';
import { ago, count, many, sentence } from '../../format/values.ts';
import { formatHostSummary } from './host.ts';
import { formatIngress } from './ingress.ts';
import { formatNetworksStatus } from './networks-status.ts';
import { type Column, table } from './table.ts';

/** The API's status. */
export type Status = z.infer<typeof StatusReply>;
export type NamespaceStatus = Status['namespaces'][number];
type SourceStatus = Status['sources'][number];

const COLOURS: Readonly<Record<NamespaceState, Colour>> = {
  pending: 'yellow',
  protected: 'green',
  audit: 'yellow',
  isolated: 'yellow',
  denylist: 'green',
  custom: 'green',
  unenforceable: 'red',
  failed: 'red',
  cleared: 'yellow',
};

export function formatStatus(status: Status, now: number, style: Style): string {
  const { namespaces, ingress = [], unsupported } = status;
  const parts = [
    status.controller === undefined ? '' : formatController(status.controller, now),
    namespaces.length === 0
      ? 'No running container was started with EGRESSTRATOR_ENABLE=1.'
      : table(byName(namespaces), columns(now), style),
    formatIngress(ingress, now, style),
    rawNote(namespaces),
    status.recordsDenied === false ? sentence(unrecorded(status.controller?.template)) : '',
    unsupported
      .map(({ name, problem }) => `${style('red', `${name} is unsupported`)}: ${problem.reason}`)
      .join('\n'),
    (status.notEnabled ?? [])
      .map(({ name, problem }) => `${style('yellow', name)}: ${problem.reason}`)
      .join('\n'),
    formatOverrides(namespaces, now, style),
    formatFullRecords(namespaces, style),
    formatErrors([...namespaces, ...ingress], style),
    formatProblems([...namespaces, ...ingress], style),
    status.host === undefined ? '' : formatHostSummary(status.host, style),
    status.networks === undefined ? '' : formatNetworksStatus(status.networks, now, style),
    table(shownSources(status.sources), sourceColumns(now), style),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Settings of the host. */
export interface Setting {
  readonly loader?: string | undefined;
  /** False if the template records no denied destinations. */
  readonly recordsDenied?: boolean | undefined;
}

/** The details of one namespace. */
export function formatNamespace(
  namespace: NamespaceStatus,
  { loader, recordsDenied }: Setting,
  now: number,
  style: Style,
): string {
  const { workloads, target, state, grants, mode, dns, fingerprint, verifiedAt, lastError } = namespace;
  const by = namespace.loader ?? loader;
  const raw = namespace.hasRawSockets ? style('yellow', RAW_LINE) : 'cannot be opened';
  const lines: readonly (readonly [string, string])[] = [
    ['workloads', workloads.join(', ')],
    ['target', target],
    ['state', style(COLOURS[state], state)],
    ['description', recordsDenied === false && state === 'audit' ? UNRECORDED_AUDIT : STATE_MEANING[state]],
    ['keys', grants.join(', ') || 'none'],
    ...(namespace.byHand === undefined ? [] : [['by hand', sinceText(namespace.byHand, now)] as const]),
    ['mode', mode],
    ['DNS', DNS_MEANING[dns]],
    ...(namespace.names === undefined ? [] : [['names', namesText(namespace.names)] as const]),
    ['raw sockets', raw],
    ['rules', fingerprint ?? 'none loaded'],
    ['verified', ago(verifiedAt, now)],
    ...deniedLine(namespace),
    ...(by === undefined ? [] : [['loaded by', by] as const]),
    ...(lastError === undefined ? [] : [['last error', style('red', lastError)] as const]),
  ];
  const text = lines.map(([name, value]) => `${name.padEnd(13)}${value}`).join('\n');
  const remedy = namespace.hasRawSockets ? RAW_REMEDY : '';
  return [text, remedy, formatProblems([namespace], style)].filter((part) => part !== '').join('\n\n');
}

const UNRECORDED_AUDIT = 'all traffic passes; the template does not record denied destinations';

const formatController = (
  { version, node, loader, template, startedAt }: NonNullable<Status['controller']>,
  now: number,
): string =>
  `egresstrator ${version} on ${node}, started ${ago(startedAt, now)}, loads ${template} by ${loader}`;

const byName = (namespaces: readonly NamespaceStatus[]): readonly NamespaceStatus[] =>
  namespaces.toSorted((a, b) => (a.target < b.target ? -1 : 1));

const columns = (now: number): readonly Column<NamespaceStatus>[] => [
  { title: 'CONTAINER', text: ({ workloads }) => workloads.join(', ') },
  {
    title: 'STATE',
    text: ({ state, hasRawSockets }) => `${state}${hasRawSockets ? RAW_MARK : ''}`,
    colour: ({ state }) => COLOURS[state],
  },
  { title: 'KEYS', text: ({ grants }) => grants.join(', ') || '-' },
  { title: 'RULES', text: ({ fingerprint }) => fingerprint?.slice(0, 8) ?? '-' },
  { title: 'VERIFIED', text: ({ verifiedAt }) => ago(verifiedAt, now) },
];

const sinceText = ({ since }: { readonly since: number }, now: number): string =>
  `since ${new Date(since).toISOString()} (${ago(since, now)})`;

/** Lists overrides, because they explain access that the container's own settings do not. */
const formatOverrides = (namespaces: readonly NamespaceStatus[], now: number, style: Style): string =>
  byName(namespaces)
    .flatMap(({ target, byHand }) =>
      byHand === undefined
        ? []
        : `${style('yellow', target)}: ${BY_HAND[byHand.kind]}, ${sinceText(byHand, now)}, until it stops or "egresstrator set ${target}"`,
    )
    .join('\n');

type Troubled = Pick<NamespaceStatus, 'target' | 'lastError' | 'problems'> & {
  /** The ACL keys. */
  readonly grants?: readonly string[];
};

const formatErrors = (namespaces: readonly Troubled[], style: Style): string =>
  namespaces
    .flatMap(({ target, lastError }) =>
      lastError === undefined ? [] : `${style('red', target)}: ${lastError}`,
    )
    .join('\n');

/** Lists full records, which may lack destinations. */
function formatFullRecords(namespaces: readonly NamespaceStatus[], style: Style): string {
  const full = namespaces.flatMap(({ target, denied }) => (denied?.isFull ? [{ target, denied }] : []));
  return full
    .map(
      ({ target, denied }) =>
        `${style('yellow', `${target}: the record of denied destinations is full`)}; ${unlisted(denied)} (egresstrator denied ${target})`,
    )
    .join('\n');
}

function deniedLine({ denied }: NamespaceStatus): readonly (readonly [string, string])[] {
  if (denied === undefined) return [];
  const { packets, spoofed, frames } = denied;
  const parts = [
    many(packets, 'packet'),
    ...(spoofed === 0 ? [] : [`${spoofed.toLocaleString('en-US')} of them forged`]),
    ...(frames === 0 ? [] : [many(frames, 'frame')]),
    ...(denied.isFull ? [`the record is full: ${unlisted(denied)}`] : []),
  ];
  return [['denied', parts.join('; ')]];
}

/** Each problem once, however many containers have the key; with their names if others with the key do not have it. */
export function formatProblems(namespaces: readonly Troubled[], style: Style): string {
  const lines = namespaces.flatMap(({ problems, target }) =>
    problems.map(({ severity, key, line, text, reason }) => {
      const where = key === undefined ? target : `key ${key}`;
      const place = line === undefined ? where : `${where} line ${line}`;
      const word = style(severity === 'error' ? 'red' : 'yellow', severity);
      return { key, target, word, what: `${place}${text === undefined ? '' : ` (${text})`}: ${reason}` };
    }),
  );
  const all = [...Map.groupBy(lines, ({ word, what }) => `${word}: ${what}`).values()];
  return all
    .flatMap((same) => same.slice(0, 1).map((one) => `${one.word}: ${ofSome(same, namespaces)}${one.what}`))
    .join('\n');
}

/** `web, job: `; empty if all containers with the key have the problem. */
function ofSome(
  same: readonly { readonly key?: string | undefined; readonly target: string }[],
  namespaces: readonly Troubled[],
): string {
  const key = same[0]?.key;
  if (key === undefined) return '';
  const having = new Set(same.map(({ target }) => target));
  const others = namespaces.filter(({ target, grants = [] }) => !having.has(target) && grants.includes(key));
  return others.length === 0 ? '' : `${[...having].join(', ')}: `;
}

/** Services are listed one by one only if they have a problem. */
function shownSources(sources: readonly SourceStatus[]): readonly SourceStatus[] {
  const isQuiet = ({ name, error, known, outdated }: SourceStatus) =>
    name.startsWith('service ') && error === undefined && known && !outdated;
  const quiet = sources.filter(isQuiet);
  const rest = sources.filter((source) => !isQuiet(source));
  if (quiet.length === 0) return rest;
  const oldest = Math.min(...quiet.map(({ confirmedAt }) => confirmedAt ?? 0));
  return [
    ...rest,
    { name: count(quiet.length, 'service'), known: true, confirmedAt: oldest, error: undefined },
  ];
}

const sourceColumns = (now: number): readonly Column<SourceStatus>[] => [
  { title: 'SOURCE', text: ({ name }) => name },
  { title: 'CONFIRMED', text: ({ confirmedAt }) => ago(confirmedAt, now) },
  {
    title: 'STATE',
    text: ({ known, error, outdated }) =>
      `${outdated ? 'too old (--max-age), grants nothing: ' : ''}${error ?? (known ? 'ok' : 'not read yet')}`,
    colour: ({ known, error, outdated }) =>
      error === undefined && !outdated ? (known ? 'green' : 'yellow') : 'red',
  },
];
