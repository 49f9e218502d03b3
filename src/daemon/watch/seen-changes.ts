/**
 * Events of the timeline that follow from two looks at the same things: edits of keys, workloads that came and went,
 * sources that were lost and came back, overrides. Pure.
 */
import type { Acl } from '../../policy/acl.ts';
import type { Status } from '../status.ts';
import type { NewEvent } from './timeline.ts';

export interface Seen {
  /** Undefined until they are read. */
  readonly acl: Acl | undefined;
  readonly ingress: Acl | undefined;
  readonly status: Pick<Status, 'namespaces' | 'sources'>;
}

/** The most events of a kind from one look. */
const MOST = 20;

/** `since`, in ms since the epoch: what started before is not new. */
export const changesSeen = (before: Seen, now: Seen, since: number): readonly NewEvent[] => [
  ...edits(before.acl, now.acl, 'key'),
  ...edits(before.ingress, now.ingress, 'ingress key'),
  ...workloads(before.status.namespaces, now.status.namespaces, since),
  ...overrides(before.status.namespaces, now.status.namespaces),
  ...sources(before.status.sources, now.status.sources),
];

function edits(before: Acl | undefined, now: Acl | undefined, what: string): readonly NewEvent[] {
  if (before === undefined || now === undefined || before === now) return [];
  const changed = [...now].flatMap(([key, { text }]) => {
    const old = before.get(key)?.text;
    if (old === text) return [];
    return [
      edit(
        key,
        old === undefined
          ? `${what} created with ${linesIn(text)}`
          : `${what} edited, ${difference(old, text)}`,
      ),
    ];
  });
  const removed = [...before.keys()]
    .filter((key) => !now.has(key))
    .map((key) => edit(key, `${what} removed`));
  return limited([...changed, ...removed], 'key', `${what}s changed`);
}

const edit = (subject: string, text: string): NewEvent => ({ kind: 'key', subject, text });

/** `+2 −1 lines`, whatever their order. */
function difference(old: string, text: string): string {
  const [before, after] = [lines(old), lines(text)];
  const kept = new Map<string, number>();
  for (const line of before) kept.set(line, (kept.get(line) ?? 0) + 1);
  let added = 0;
  for (const line of after) {
    const left = kept.get(line) ?? 0;
    if (left === 0) added += 1;
    else kept.set(line, left - 1);
  }
  const removed = before.length - (after.length - added);
  return added + removed === 0 ? 'its lines in another order' : `+${added} −${removed} lines`;
}

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line.trim() !== '');

const linesIn = (text: string): string => {
  const { length } = lines(text);
  return length === 1 ? '1 line' : `${length} lines`;
};

type Namespaces = Status['namespaces'];

function workloads(before: Namespaces, now: Namespaces, since: number): readonly NewEvent[] {
  const [old, present] = [byId(before), byId(now)];
  const events = [
    ...before.filter(({ id }) => !present.has(id)).map((one) => workload(one, 'ended')),
    ...now
      .filter(({ id }) => !old.has(id) && startOf(id) >= since)
      .map((one) =>
        workload(
          one,
          one.grants.length === 0 ? 'started without keys' : `started with the keys ${one.grants.join(', ')}`,
        ),
      ),
  ];
  return limited(events, 'workload', 'workloads started or ended');
}

/** In ms since the epoch: an id ends with the start of its container. */
const startOf = (id: string): number => {
  const start = Date.parse(id.slice(id.indexOf('@') + 1));
  return Number.isNaN(start) ? Number.POSITIVE_INFINITY : start;
};

const workload = ({ target }: Namespaces[number], text: string): NewEvent => ({
  kind: 'workload',
  subject: target,
  text,
});

function overrides(before: Namespaces, now: Namespaces): readonly NewEvent[] {
  const old = byId(before);
  return now.flatMap((one): readonly NewEvent[] => {
    const was = old.get(one.id);
    if (
      was === undefined ||
      (was.byHand?.since === one.byHand?.since && was.byHand?.kind === one.byHand?.kind)
    )
      return [];
    return [{ kind: 'override', subject: one.target, text: overrideText(one) }];
  });
}

const overrideText = ({ byHand, grants }: Namespaces[number]): string => {
  if (byHand === undefined) return 'it has its own keys again';
  return byHand.kind === 'clear'
    ? 'its rules were removed by hand'
    : `its keys were set by hand: ${grants.join(', ')}`;
};

function sources(before: Status['sources'], now: Status['sources']): readonly NewEvent[] {
  const old = new Map(before.map((one) => [one.name, one]));
  const events = now.flatMap(({ name, error }): readonly NewEvent[] => {
    const was = old.get(name);
    if ((was?.error === undefined) === (error === undefined)) return [];
    const text = error === undefined ? 'it answers again' : `it does not answer: ${error}`;
    return [{ kind: 'source', subject: name, text, ...(error !== undefined && { isProblem: true }) }];
  });
  return limited(events, 'source', 'sources lost or back');
}

const byId = (namespaces: Namespaces): ReadonlyMap<string, Namespaces[number]> =>
  new Map(namespaces.map((one) => [one.id, one]));

/** Hundreds at once are told as a number. */
function limited(events: readonly NewEvent[], kind: NewEvent['kind'], what: string): readonly NewEvent[] {
  const more = events.length - MOST;
  if (more <= 0) return events;
  return [...events.slice(0, MOST), { kind, subject: '', text: `${more} more ${what}` }];
}
