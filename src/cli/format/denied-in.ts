/**
 * Calls that the ports guard denied, as text.
 */
import type { DeniedInAnswer } from '../../diagnostics/denied-in.ts';
import { unlisted } from '../../format/denied-record.ts';
import type { Style } from '../../format/style.ts';
import { ago, inPeriod, many } from '../../format/values.ts';
import { type Column, table } from './table.ts';

type Call = DeniedInAnswer['calls'][number];

/** The most rows. */
const MOST_ROWS = 100;

export function formatDeniedIn(answer: DeniedInAnswer, now: number, style: Style): string {
  const { calls, covers, error, observed, isFull } = answer;
  const rest = calls.length - MOST_ROWS;
  const parts = [
    calls.length === 0 ? `No call was denied ${inPeriod(covers)}.` : deniedCallsTable(calls, now, style),
    rest > 0 ? `${many(rest, 'more call')}; --json lists all.` : '',
    isFull ? `${style('yellow', 'The record is full')}: ${unlisted(answer)}.` : '',
    error === undefined ? '' : `${style('red', 'the host')}: ${error}`,
    observed && calls.length > 0 ? '--ports observe: these calls passed.' : '',
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

export const deniedCallsTable = (calls: readonly Call[], now: number, style: Style): string =>
  table(calls.slice(0, MOST_ROWS), [...columns(now), ...(calls.some(isOfIngress) ? [GATE] : [])], style);

const isOfIngress = ({ gate }: Call): boolean => gate === 'ingress';

/** Only where calls were denied by ingress rules too. */
const GATE: Column<Call> = {
  title: 'BY',
  text: ({ gate = 'guard', passed }) => `${gate}${passed === true ? ' (passed: audit)' : ''}`,
};

const columns = (now: number): readonly Column<Call>[] => [
  { title: 'CALLER', text: ({ source }) => source, colour: () => 'red' },
  { title: 'CONTAINER', text: ({ container }) => container ?? '-' },
  { title: 'ADDRESS', text: ({ address }) => address },
  { title: 'PORT', text: ({ protocol, port }) => (port === undefined ? protocol : `${protocol}/${port}`) },
  { title: 'PACKETS', text: ({ packets }) => String(packets), right: true },
  { title: 'FIRST SEEN', text: ({ firstSeenAt }) => ago(firstSeenAt, now) },
  { title: 'LAST SEEN', text: ({ lastSeenAt }) => ago(lastSeenAt, now) },
];
