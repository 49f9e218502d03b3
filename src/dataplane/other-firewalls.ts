/**
 * What forwards need of the host beside our own table, by `dataplane/host`: passages through other firewalls, an end of
 * connections, and word of lost rules.
 */
import type { Passage, Passages } from '../inventory/passages.ts';
import { HOST_REF } from './dataplane.ts';
import type { HostRunner } from './host.ts';
import { failed } from './load-errors.ts';
import type { Command } from './runner.ts';

/** `table`: a rule of our table is new; `gone`: one was removed; `passages`: a chain with a passage was changed. */
export type RuleChange = 'table' | 'gone' | 'passages';

/** Every method fails with a `LoadError`. */
export interface OtherFirewalls {
  check(): Promise<Passages>;
  /** Makes what is missing, and puts first what is not. */
  keep(): Promise<void>;
  /** Nothing of ours is left in other firewalls. */
  remove(): Promise<void>;
  /** Forwards and permits of the loaded table, as `connectionRules`. */
  loadedForwards(): Promise<readonly string[]>;
  /**
   * Ends the connections that these forwards and permits have made, unless a loaded permit allows them, and those of
   * `udp <port>` that were not forwarded or answered.
   * Exit code 6: conntrack is missing.
   */
  endConnections(forwards: readonly string[]): Promise<void>;
  /** Calls back for each change until the signal, or until the program ends by itself. */
  watch(onChange: (change: RuleChange) => void, signal: AbortSignal): Promise<void>;
}

export function createOtherFirewalls(runner: Pick<HostRunner, 'run' | 'follow'>): OtherFirewalls {
  const lines = async (name: Command['name'], stdin?: string) =>
    (await runner.run({ name }, stdin)).stdout.split('\n').filter((line) => line !== '');
  return {
    check: async () => parsePassages(await lines('check')),
    keep: async () => void (await lines('passages')),
    remove: async () => void (await lines('remove')),
    loadedForwards: () => lines('forwards'),
    endConnections: async (forwards) => void (await lines('forget', `${forwards.join('\n')}\n`)),
    watch: (onChange, signal) =>
      runner.follow(
        { name: 'watch' },
        (line) => {
          if (isChange(line)) onChange(line);
        },
        signal,
      ),
  };
}

const isChange = (line: string): line is RuleChange =>
  line === 'table' || line === 'gone' || line === 'passages';

function parsePassages(lines: readonly string[]): Passages {
  const strange = lines.find((line) => !LINE.test(line));
  if (strange !== undefined)
    throw failed(
      { command: { name: 'check' }, name: HOST_REF.name },
      `it printed "${strange.slice(0, 100)}"`,
    );
  const restOf = (beginning: string) =>
    lines.filter((line) => line.startsWith(beginning)).map((line) => line.slice(beginning.length));
  return {
    passages: restOf('passage ').flatMap(parsePassage),
    dropping: restOf('drops '),
    lacking: restOf('lacks '),
    failing: restOf('fails '),
  };
}

const LINE = /^(passage \S+ \S+ (kept|moved|absent)|drops \S+ \S+ \S+|(lacks|fails) \S+)$/;

function parsePassage(line: string): readonly Passage[] {
  const [tool, chain, state] = line.split(' ');
  if (tool === undefined || chain === undefined) return [];
  return state === 'kept' || state === 'moved' || state === 'absent' ? [{ tool, chain, state }] : [];
}
