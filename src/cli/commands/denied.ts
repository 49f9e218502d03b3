/**
 * `egresstrator denied`: what containers tried to reach and may not, and what stands behind it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Flags } from '../../config/config.ts';
import type { RefusalReport, SeenRefusal } from '../../controller/refusal-log.ts';
import { destinationOf } from '../../domain/insight/destination.ts';
import { recognise, surveyOf } from '../../domain/insight/suggest.ts';
import { type Asking, ask } from '../insight/context.ts';
import { type Answer, learn, readRefusals } from '../insight/source.ts';
import type { Terminal } from '../output.ts';
import { type Denied, deniedFrom, presentDenied, presentOne } from '../present/denied.ts';

/** Milliseconds between two looks of --follow. */
const INTERVAL = 1000;

export async function denied(container: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const asking = ask(flags, terminal);
  if (flags.follow === true) return follow(container, asking, flags.json === true);
  const all = await look(container, asking);
  asking.output.result(all, presentDenied(all, Date.now(), asking.paint));
}

async function look(container: string | undefined, { config, terminal }: Asking): Promise<Denied> {
  const [reports, answer] = await Promise.all([
    readRefusals(container, config, terminal),
    learn({ scope: 'all' }, config, terminal).catch(() => undefined),
  ]);
  return deniedFrom(reports, whoIsBehind(answer));
}

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
async function follow(container: string | undefined, asking: Asking, json: boolean): Promise<void> {
  let known = new Map<string, number>();
  for (;;) {
    const { rows } = await look(container, asking);
    const time = new Date().toISOString().slice(11, 19);
    const next = new Map<string, number>();
    for (const row of rows) {
      const id = `${row.container} ${row.address} ${row.protocol} ${row.port ?? ''}`;
      next.set(id, row.packets);
      if (row.packets === known.get(id)) continue;
      asking.terminal.stdout.write(`${json ? JSON.stringify(row) : presentOne(row, time)}\n`);
    }
    known = next;
    await sleep(INTERVAL);
  }
}
