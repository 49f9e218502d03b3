/**
 * `egresstrator denied`: denied connections, with the services and keys behind them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError, UserError } from '../../common/errors.ts';
import { shellWord } from '../../common/text.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { type DeniedAnswer, type DeniedRow, placeOf } from '../../diagnostics/denied-answer.ts';
import type { DeniedCall } from '../../diagnostics/denied-in.ts';
import type { DeniedNameRow } from '../../diagnostics/denied-names.ts';
import type { Diagnostics } from '../../diagnostics/diagnostics.ts';
import { unlisted } from '../../format/denied-record.ts';
import { type CommandContext, commandContext } from '../diagnostics/context.ts';
import { ask, openDiagnostics } from '../diagnostics/open.ts';
import { formatDenied, formatOne } from '../format/denied.ts';
import { formatDeniedIn } from '../format/denied-in.ts';
import { formatOneName } from '../format/denied-names.ts';
import type { Output } from '../output.ts';

/** Milliseconds between two reads of --follow. */
const INTERVAL = 1000;

export async function denied(container: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const context = commandContext(flags, terminal);
  const { output, style } = context;
  if (flags.in === true) return deniedIn(container, flags, context);
  if (flags.follow === true) return follow(container, await openDiagnostics(context), output);
  const all = await ask(context, (diagnostics) => diagnostics.denied({ container }));
  output.result(all, (seen) => formatDenied(seen, Date.now(), style));
  const [name, ...others] = new Set([...all.rows, ...(all.names ?? [])].map((row) => row.container));
  if (name !== undefined)
    output.hint([`To allow it: egresstrator suggest${others.length === 0 ? ` ${shellWord(name)}` : ''}`]);
}

/** Calls to containers. */
async function deniedIn(container: string | undefined, flags: Flags, context: CommandContext): Promise<void> {
  if (flags.follow === true) throw new UsageError('give either --in or --follow');
  const { output, style } = context;
  const all = await ask(context, (diagnostics) => diagnostics.deniedIn({ container }));
  output.result(all, (seen) => formatDeniedIn(seen, Date.now(), style));
  const [first] = all.calls.flatMap((call) => remedyFor(call) ?? []);
  if (first !== undefined) output.hint([`To let it in: ${first}`]);
}

/** The command that leads to letting in a call; undefined if none does. */
function remedyFor({ container, protocol, port, gate, source }: DeniedCall): string | undefined {
  if (container === undefined) return undefined;
  if (gate === 'ingress') return `egresstrator suggest --in ${shellWord(container)}`;
  if (port === undefined) return undefined;
  return `egresstrator ports open ${shellWord(container)} ${protocol}/${port} --from ${source}`;
}

/** Prints each destination when packets to it were denied since the last read, and each denied name. Ends with the program. */
async function follow(
  container: string | undefined,
  diagnostics: Diagnostics,
  output: Output,
): Promise<void> {
  let known = new Map<string, number>();
  let knownNames = new Map<string, number>();
  let full: ReadonlySet<string> = new Set();
  for (;;) {
    const { rows, names = [], records, unavailableReason } = await diagnostics.denied({ container });
    if (unavailableReason !== undefined) throw new UserError(unavailableReason);
    const time = new Date().toISOString().slice(11, 19);
    for (const row of rows.filter((one) => one.packets !== known.get(idOf(one))))
      output.line(row, (seen) => formatOne(seen, time));
    known = new Map(rows.map((row) => [idOf(row), row.packets]));
    for (const name of names.filter((one) => one.count !== knownNames.get(idOfName(one))))
      output.line(name, (seen) => formatOneName(seen, time));
    knownNames = new Map(names.map((name) => [idOfName(name), name.count]));
    full = tellFull(records, full, output);
    await sleep(INTERVAL);
  }
}

/** Reports once for each container that its record is full; returns the containers with a full record. */
function tellFull(
  records: DeniedAnswer['records'],
  known: ReadonlySet<string>,
  { note }: Output,
): ReadonlySet<string> {
  const full = records.filter(({ isFull }) => isFull);
  for (const { container, ...summary } of full.filter((one) => !known.has(one.container)))
    note(`${container}: the record is full: ${unlisted(summary)}`);
  return new Set(full.map(({ container }) => container));
}

const idOf = (row: DeniedRow): string => `${row.container} ${placeOf(row)}`;
const idOfName = ({ container, cause, name }: DeniedNameRow): string => `${container} ${cause} ${name}`;
