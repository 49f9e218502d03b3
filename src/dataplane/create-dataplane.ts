/**
 * Implements the dataplanes with any runner.
 */
import type { Loaded } from '../inventory/ruleset.ts';
import type {
  Dataplane,
  HostDataplane,
  HostRef,
  Inspection,
  KernelState,
  RulesetDataplane,
} from './dataplane.ts';
import { parseDenied } from './denied.ts';
import type { HostRunner } from './host.ts';
import { failed } from './load-errors.ts';
import { parseNamespaceState, parseState, unreadable } from './namespace-state.ts';
import { egressCounters, namespaceCounters } from './process-namespace.ts';
import type { Command, NamespaceRunner, RunResult } from './runner.ts';

export const createDataplane = (runner: NamespaceRunner): Dataplane => ({
  ...rulesetDataplane((...job) => runner.run(...job)),
  egressCounters: async (namespace) => egressCounters(namespace),
  counters: async (namespace) => namespaceCounters(namespace),
  testLoad: async ({ owner, text }) => {
    await runner.testLoad({ name: 'load', owner }, text);
  },
});

export const createHostDataplane = (runner: Pick<HostRunner, 'run'>): HostDataplane =>
  rulesetDataplane<HostRef>((_, ...job) => runner.run(...job));

function rulesetDataplane<Ref extends { readonly name: string }>(
  runIn: (namespace: Ref, command: Command, stdin?: string) => Promise<RunResult>,
): RulesetDataplane<Ref> {
  const run = async <T>(
    namespace: Ref,
    command: Command,
    parse: (result: RunResult) => T,
    stdin?: string,
  ): Promise<T> => {
    const result = await runIn(namespace, command, stdin);
    try {
      return parse(result);
    } catch (error) {
      throw failed({ command, name: namespace.name }, unreadable(error), error);
    }
  };
  return {
    load: (namespace, { owner, text }) =>
      run(namespace, { name: 'load', owner, listing: NO_LISTING }, loadedFrom, text),
    reload: (namespace, { owner, text }) =>
      run(namespace, { name: 'reload', owner, listing: NO_LISTING }, stateFrom, text),
    inspect: (namespace, owner, known) =>
      run(namespace, { name: 'inspect', owner, listing: known?.listing ?? NO_LISTING }, inspectionOf(known)),
    denied: (namespace, owner) =>
      run(namespace, { name: 'denied', owner }, ({ stdout }) => parseDenied(stdout)),
    clear: (namespace, owner) => run(namespace, { name: 'clear', owner }, () => undefined),
    add: (namespace, owner, set, elements) =>
      run(namespace, { name: 'add', owner, set }, () => undefined, elements.join('\n')),
    owners: (namespace) => run(namespace, { name: 'list' }, ({ stdout }) => ownersIn(stdout)),
  };
}

function ownersIn(text: string): readonly string[] {
  const owners = text.split('\n').filter((line) => line !== '');
  const unexpected = owners.find((owner) => !/^[a-z]+$/.test(owner));
  if (unexpected !== undefined) throw new Error(`"${unexpected}" is not an owner of rules`);
  return owners;
}

const loadedFrom = (result: RunResult) => ({ ...parseState(result.stdout), ...processLeftIn(result) });

/** No listing has this digest. */
const NO_LISTING = '-';

const inspectionOf =
  (known: Loaded | undefined) =>
  (result: RunResult): Inspection => {
    if (known === undefined || result.stdout !== 'unchanged\n') return stateFrom(result);
    const { hasProcessLeft: _, ...loaded } = known;
    return { loaded: { ...loaded, ...processLeftIn(result) } };
  };

function stateFrom(result: RunResult): KernelState {
  const state = parseNamespaceState(result.stdout);
  return { ...state, loaded: { ...state.loaded, ...processLeftIn(result) } };
}

const processLeftIn = ({ hasProcessLeft }: RunResult) => (hasProcessLeft ? { hasProcessLeft } : {});
