/**
 * `egresstrator denied`: what containers tried to reach and may not, and what stands behind it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Flags } from '../../config/config.ts';
import type { RefusalReport, SeenRefusal } from '../../controller/refusal-log.ts';
import { destinationOf } from '../../domain/insight/destination.ts';
import { createSuggester, type Suggester } from '../../domain/insight/suggest.ts';
import { formatRule } from '../../domain/rule.ts';
import { type Asking, ask } from '../insight/context.ts';
import { viewOf } from '../insight/knowledge.ts';
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
  const suggesters = new Map<string, Suggester>();
  return ({ container }: RefusalReport, refusal: SeenRefusal) => {
    const destination = destinationOf(refusal);
    const place = answer?.places.find(({ target }) => target === container);
    if (answer === undefined || place === undefined || destination === undefined)
      return { services: [], keys: [] };
    const suggest = suggesters.get(container) ?? createSuggester(viewOf(answer, place));
    suggesters.set(container, suggest);
    const { lines, keys } = suggest([destination]);
    const services = lines.flatMap(({ rule }) => (rule.kind === 'service' ? formatRule(rule) : []));
    return { services, keys: keys.map(({ key }) => key) };
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
