/**
 * `egresstrator denied`: what containers tried to reach and may not, and what stands behind it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Flags } from '../../config/config.ts';
import type { RefusalReport, SeenRefusal } from '../../controller/refusal-log.ts';
import { UserError } from '../../domain/errors.ts';
import { destinationOf } from '../../domain/insight/destination.ts';
import { recognise, surveyOf } from '../../domain/insight/suggest.ts';
import { shellWord } from '../../domain/text.ts';
import { type Asking, ask } from '../insight/context.ts';
import { type Answer, learn, readRefusals } from '../insight/source.ts';
import type { Output, Terminal } from '../output.ts';
import { type Denied, type DeniedRow, deniedFrom, presentDenied, presentOne } from '../present/denied.ts';
import { unlisted } from '../present/denied-record.ts';
import { unrecorded } from '../present/words.ts';

/** Milliseconds between two looks of --follow. */
const INTERVAL = 1000;
/** Looks of --follow after which Consul is asked again what stands behind addresses. */
const REFRESH = 60;

export async function denied(container: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const asking = ask(flags, terminal);
  if (flags.follow === true) return follow(container, asking);
  const all = await look(container, asking);
  asking.output.result(all, (seen) => presentDenied(seen, Date.now(), asking.paint));
  const [name, ...others] = new Set(all.rows.map((row) => row.container));
  if (name !== undefined)
    asking.output.hint([
      `What to write to allow it: egresstrator suggest${others.length === 0 ? ` ${shellWord(name)}` : ''}`,
    ]);
}

async function look(container: string | undefined, asking: Asking): Promise<Denied> {
  const { config, terminal } = asking;
  const [reports, answer] = await Promise.all([readRefusals(container, config, terminal), learnSome(asking)]);
  return deniedFrom(reports, whoIsBehind(answer), silenceOf(answer));
}

const learnSome = ({ config, terminal }: Asking): Promise<Answer | undefined> =>
  learn({ scope: 'all' }, config, terminal).catch(() => undefined);

/** Why nothing can be told; undefined where it can. */
const silenceOf = (answer: Answer | undefined): string | undefined =>
  answer?.recordsRefusals === false ? unrecorded(answer.template) : undefined;

/** Without Consul, what was refused is told all the same. */
function whoIsBehind(answer: Answer | undefined) {
  const survey = answer === undefined ? undefined : surveyOf(answer);
  const grants = new Map(answer?.places.map((place) => [place.target, place.grants]));
  return ({ container }: RefusalReport, refusal: SeenRefusal) => {
    const destination = destinationOf(refusal);
    if (survey === undefined || destination === undefined) return { services: [], keys: [] };
    return recognise(destination, survey, grants.get(container) ?? []);
  };
}

/** Prints each destination when packets to it were refused since the last look. Ends with the program. */
async function follow(container: string | undefined, asking: Asking): Promise<void> {
  const { config, terminal, output } = asking;
  let known = new Map<string, number>();
  let full: ReadonlySet<string> = new Set();
  let answer = await learnSome(asking);
  const silence = silenceOf(answer);
  if (silence !== undefined) throw new UserError(silence);
  for (let looks = 1; ; looks++) {
    if (looks % REFRESH === 0) answer = await learnSome(asking);
    const { rows, records } = deniedFrom(
      await readRefusals(container, config, terminal),
      whoIsBehind(answer),
    );
    const time = new Date().toISOString().slice(11, 19);
    for (const row of rows.filter((one) => one.packets !== known.get(idOf(one))))
      output.line(row, (seen) => presentOne(seen, time));
    known = new Map(rows.map((row) => [idOf(row), row.packets]));
    full = tellFull(records, full, output);
    await sleep(INTERVAL);
  }
}

/** Says once of each container that its record is full; returns those that are. */
function tellFull(
  records: Denied['records'],
  known: ReadonlySet<string>,
  { note }: Output,
): ReadonlySet<string> {
  const full = records.filter(({ isFull }) => isFull);
  for (const { container, ...summary } of full.filter((one) => !known.has(one.container)))
    note(`${container}: the record is full: ${unlisted(summary)}`);
  return new Set(full.map(({ container }) => container));
}

const idOf = ({ container, address, protocol, port }: DeniedRow): string =>
  `${container} ${address} ${protocol} ${port ?? ''}`;
