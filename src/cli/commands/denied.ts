/**
 * `egresstrator denied`: denied connections, with the services and keys behind them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../common/errors.ts';
import { shellWord } from '../../common/text.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import type { DeniedFlow, DeniedReport } from '../../daemon/deny-log.ts';
import { destinationOf } from '../../diagnostics/destination.ts';
import { catalogIndex, matchService } from '../../diagnostics/suggest.ts';
import { type CommandContext, commandContext } from '../diagnostics/context.ts';
import { type Answer, learn, readDenied } from '../diagnostics/source.ts';
import { type Denied, type DeniedRow, deniedFrom, formatDenied, formatOne } from '../format/denied.ts';
import { unlisted } from '../format/denied-record.ts';
import { unrecorded } from '../format/values.ts';
import type { Output } from '../output.ts';

/** Milliseconds between two looks of --follow. */
const INTERVAL = 1000;
/** Looks of --follow after which Consul is asked again what stands behind addresses. */
const REFRESH = 60;

export async function denied(container: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const asking = commandContext(flags, terminal);
  if (flags.follow === true) return follow(container, asking);
  const all = await look(container, asking);
  asking.output.result(all, (seen) => formatDenied(seen, Date.now(), asking.paint));
  const [name, ...others] = new Set(all.rows.map((row) => row.container));
  if (name !== undefined)
    asking.output.hint([
      `To allow it: egresstrator suggest${others.length === 0 ? ` ${shellWord(name)}` : ''}`,
    ]);
}

async function look(container: string | undefined, asking: CommandContext): Promise<Denied> {
  const { config, terminal } = asking;
  const [reports, answer] = await Promise.all([readDenied(container, config, terminal), learnSome(asking)]);
  return deniedFrom(reports, whoIsBehind(answer), silenceOf(answer));
}

const learnSome = ({ config, terminal }: CommandContext): Promise<Answer | undefined> =>
  learn({ scope: 'all' }, config, terminal).catch(() => undefined);

/** Why nothing can be told; undefined where it can. */
const silenceOf = (answer: Answer | undefined): string | undefined =>
  answer?.recordsDenied === false ? unrecorded(answer.template) : undefined;

/** Without Consul, what was refused is told all the same. */
function whoIsBehind(answer: Answer | undefined) {
  const survey = answer === undefined ? undefined : catalogIndex(answer);
  const grants = new Map(answer?.places.map((place) => [place.target, place.grants]));
  return ({ container }: DeniedReport, refusal: DeniedFlow) => {
    const destination = destinationOf(refusal);
    if (survey === undefined || destination === undefined) return { services: [], keys: [] };
    return matchService(destination, survey, grants.get(container) ?? []);
  };
}

/** Prints each destination when packets to it were refused since the last look. Ends with the program. */
async function follow(container: string | undefined, asking: CommandContext): Promise<void> {
  const { config, terminal, output } = asking;
  let known = new Map<string, number>();
  let full: ReadonlySet<string> = new Set();
  let answer = await learnSome(asking);
  const silence = silenceOf(answer);
  if (silence !== undefined) throw new UserError(silence);
  for (let looks = 1; ; looks++) {
    if (looks % REFRESH === 0) answer = await learnSome(asking);
    const { rows, records } = deniedFrom(await readDenied(container, config, terminal), whoIsBehind(answer));
    const time = new Date().toISOString().slice(11, 19);
    for (const row of rows.filter((one) => one.packets !== known.get(idOf(one))))
      output.line(row, (seen) => formatOne(seen, time));
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
