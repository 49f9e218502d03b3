/**
 * Who may reach the containers that name ingress keys: the state of their rules, as text.
 */
import type { z } from 'zod';
import type { Ingress } from '../../daemon/api/schema.ts';
import type { IngressState } from '../../features/ingress/status.ts';
import { INGRESS_MEANING } from '../../format/meaning.ts';
import type { Colour, Style } from '../../format/style.ts';
import { ago } from '../../format/values.ts';
import { type Column, table } from './table.ts';

type IngressStatus = z.infer<typeof Ingress>;

const COLOURS: Readonly<Record<IngressState, Colour>> = {
  pending: 'yellow',
  protected: 'green',
  audit: 'yellow',
  closed: 'yellow',
  unenforceable: 'red',
  failed: 'red',
};

/** Empty if no container names ingress keys. */
export const formatIngress = (all: readonly IngressStatus[], now: number, style: Style): string =>
  all.length === 0 ? '' : table(byName(all), columns(now), style);

/** The details of one namespace. */
export function formatCalled(one: IngressStatus, now: number, style: Style): string {
  const { workloads, target, state, keys, mode, fingerprint, verifiedAt, lastError } = one;
  const lines: readonly (readonly [string, string])[] = [
    ['called', workloads.join(', ')],
    ['target', target],
    ['ingress', style(COLOURS[state], state)],
    ['description', INGRESS_MEANING[state]],
    ['keys', keys.join(', ') || 'none'],
    ['mode', mode],
    ['rules', fingerprint ?? 'none loaded'],
    ['verified', ago(verifiedAt, now)],
    ...(lastError === undefined ? [] : [['last error', style('red', lastError)] as const]),
  ];
  return lines.map(([name, value]) => `${name.padEnd(13)}${value}`).join('\n');
}

const byName = (all: readonly IngressStatus[]): readonly IngressStatus[] =>
  all.toSorted((a, b) => (a.target < b.target ? -1 : 1));

const columns = (now: number): readonly Column<IngressStatus>[] => [
  { title: 'CALLED', text: ({ workloads }) => workloads.join(', ') },
  { title: 'INGRESS', text: ({ state }) => state, colour: ({ state }) => COLOURS[state] },
  { title: 'KEYS', text: ({ keys }) => keys.join(', ') || '-' },
  { title: 'RULES', text: ({ fingerprint }) => fingerprint?.slice(0, 8) ?? '-' },
  { title: 'VERIFIED', text: ({ verifiedAt }) => ago(verifiedAt, now) },
];
