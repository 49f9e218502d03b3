/**
 * Who may reach the containers that name ingress keys: the state of their rules, as text.
 */
import type { z } from 'zod';
import type { Ingress } from '../../daemon/api/schema.ts';
import type { IngressState } from '../../features/ingress/status.ts';
import type { Colour, Style } from './style.ts';
import { type Column, table } from './table.ts';
import { ago } from './values.ts';

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

const byName = (all: readonly IngressStatus[]): readonly IngressStatus[] =>
  all.toSorted((a, b) => (a.target < b.target ? -1 : 1));

const columns = (now: number): readonly Column<IngressStatus>[] => [
  { title: 'CALLED', text: ({ workloads }) => workloads.join(', ') },
  { title: 'INGRESS', text: ({ state }) => state, colour: ({ state }) => COLOURS[state] },
  { title: 'KEYS', text: ({ keys }) => keys.join(', ') || '-' },
  { title: 'RULES', text: ({ fingerprint }) => fingerprint?.slice(0, 8) ?? '-' },
  { title: 'VERIFIED', text: ({ verifiedAt }) => ago(verifiedAt, now) },
];
