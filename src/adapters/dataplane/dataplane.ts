/**
 * The controller's `Dataplane` over any way into a namespace.
 */
import type { DeniedRecord } from '../../controller/denied-record.ts';
import type { Dataplane, Loaded, NamespaceRef, Sight } from '../../controller/ports.ts';
import { type Failure, failed } from './load-errors.ts';
import { trafficOf } from './process-namespace.ts';
import { parseDenied } from './refusals.ts';
import type { NamespaceRunner, Ran, Verb } from './runner.ts';
import { parseSight, parseState, unreadable } from './state.ts';

export function createDataplane(runner: NamespaceRunner): Dataplane {
  const ask = async <T>(ref: NamespaceRef, verb: Verb, parse: (ran: Ran) => T, stdin?: string): Promise<T> =>
    understood({ verb, name: ref.name }, await runner.run(ref, verb, stdin), parse);
  return {
    load: (ref, text): Promise<Loaded> =>
      ask(ref, 'load', (ran) => ({ ...parseState(ran.stdout), ...whether(ran) }), text),
    reload: (ref, text): Promise<Sight> => ask(ref, 'reload', sightFrom, text),
    look: (ref): Promise<Sight> => ask(ref, 'look', sightFrom),
    refusals: (ref): Promise<DeniedRecord> => ask(ref, 'refusals', ({ stdout }) => parseDenied(stdout)),
    traffic: (ref) => trafficOf(ref),
    clear: (ref): Promise<void> => ask(ref, 'clear', () => undefined),
    rehearse: async (text): Promise<void> => {
      await runner.rehearse('load', text);
    },
  };
}

function sightFrom(ran: Ran): Sight {
  const sight = parseSight(ran.stdout);
  return { ...sight, loaded: { ...sight.loaded, ...whether(ran) } };
}

const whether = ({ isLeft }: Ran) => (isLeft ? { isLeft } : {});

function understood<T>(failure: Failure, ran: Ran, parse: (ran: Ran) => T): T {
  try {
    return parse(ran);
  } catch (error) {
    throw failed(failure, unreadable(error), error);
  }
}
