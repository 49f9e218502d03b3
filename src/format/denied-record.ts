/**
 * Formats what is known about denied packets besides their destinations: a full record, the destinations of unlisted
 * packets, and packets without a destination.
 */
import type { ContainerSummary } from '../diagnostics/denied-answer.ts';
import type { DeniedSummary } from '../inventory/denied-record.ts';
import type { Style } from './style.ts';
import { ago, many } from './values.ts';

/** The most places that are listed; --json lists all. */
const MOST_PLACES = 20;

/** A paragraph; empty if there is nothing to report. */
export const formatSummary = (summary: ContainerSummary, now: number, style: Style): string =>
  [...fullLines(summary, now, style), ...otherLines(summary)].join('\n');

function fullLines(summary: ContainerSummary, now: number, style: Style): readonly string[] {
  const { container, isFull, fullAt, unlistedAt } = summary;
  if (fullAt === undefined) return [];
  const when = isFull ? 'is full' : `was full ${ago(fullAt, now)}`;
  const places = unlistedAt.slice(0, MOST_PLACES);
  const rest = unlistedAt.length - places.length;
  return [
    `${style('yellow', `The record of ${container} ${when}`)}: ${unlisted(summary)}.`,
    ...places.map(({ place, packets }) => `  ${place}: ${many(packets, 'more packet')}`),
    ...(rest === 0 ? [] : [`  and ${many(rest, 'place')} more; --json lists all`]),
  ];
}

/** `4,904 of 9,003 denied packets are not listed by destination` */
export const unlisted = ({ packets, unlisted: left }: Pick<DeniedSummary, 'packets' | 'unlisted'>): string =>
  `${left.toLocaleString('en-US')} of ${many(packets, 'denied packet')} are not listed by destination`;

const otherLines = ({ container, spoofed, frames }: ContainerSummary): readonly string[] => [
  ...(spoofed === 0
    ? []
    : [`${container}: ${many(spoofed, 'packet')} had a forged source address or a source route.`]),
  ...(frames === 0
    ? []
    : [
        `${container}: ${many(frames, 'frame')} of packet sockets were denied; their destinations are not known.`,
      ]),
];
