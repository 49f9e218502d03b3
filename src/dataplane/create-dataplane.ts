/**
 * The controller's `Dataplane` over any way into a namespace.
 */

import type { DeniedRecord } from '../inventory/denied-record.ts';
import type { Dataplane, Loaded, NamespaceRef, NamespaceState } from './dataplane.ts';
import { parseDenied } from './denied.ts';
import { type Failure, failed } from './load-errors.ts';
import { parseNamespaceState, parseState, unreadable } from './namespace-state.ts';
import { egressCounters } from './process-namespace.ts';
import type { Command, NamespaceRunner, RunResult } from './runner.ts';

export function createDataplane(runner: NamespaceRunner): Dataplane {
  const ask = async <T>(
    ref: NamespaceRef,
    verb: Command,
    parse: (ran: RunResult) => T,
    stdin?: string,
  ): Promise<T> => understood({ verb, name: ref.name }, await runner.run(ref, verb, stdin), parse);
  return {
    load: (ref, text): Promise<Loaded> =>
      ask(ref, 'load', (ran) => ({ ...parseState(ran.stdout), ...whether(ran) }), text),
    reload: (ref, text): Promise<NamespaceState> => ask(ref, 'reload', sightFrom, text),
    inspect: (ref): Promise<NamespaceState> => ask(ref, 'look', sightFrom),
    denied: (ref): Promise<DeniedRecord> => ask(ref, 'refusals', ({ stdout }) => parseDenied(stdout)),
    egressCounters: (ref) => egressCounters(ref),
    clear: (ref): Promise<void> => ask(ref, 'clear', () => undefined),
    testLoad: async (text): Promise<void> => {
      await runner.rehearse('load', text);
    },
  };
}

function sightFrom(ran: RunResult): NamespaceState {
  const sight = parseNamespaceState(ran.stdout);
  return { ...sight, loaded: { ...sight.loaded, ...whether(ran) } };
}

const whether = ({ isLeft }: RunResult) => (isLeft ? { isLeft } : {});

function understood<T>(failure: Failure, ran: RunResult, parse: (ran: RunResult) => T): T {
  try {
    return parse(ran);
  } catch (error) {
    throw failed(failure, unreadable(error), error);
  }
}
