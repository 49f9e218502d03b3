/**
 * Runs `dataplane/netns`, or `dataplane/host`, inside a network namespace: the interface of the two loaders.
 */

import type { RulesetOwner } from '../inventory/ruleset.ts';
import type { NamespaceRef } from './dataplane.ts';

/** The commands of `dataplane/netns` that are used here. `load`, `reload` and `route` read stdin. */
type CommandName =
  | ('load' | 'reload' | 'inspect' | 'denied' | 'add' | 'clear' | 'list' | 'place' | 'firewall')
  | ('routes' | 'reroute');

/** The commands of `dataplane/host` that are used here. `forget` reads forwards and permits from stdin. */
const HOST_COMMANDS = [
  ...(['passages', 'check', 'remove', 'forwards', 'forget', 'watch'] as const),
  ...(['facts', 'forward'] as const),
] as const;

export interface Command {
  readonly name: CommandName | (typeof HOST_COMMANDS)[number];
  /** Most of `dataplane/host`, `list`, `place`, `firewall`, `routes` and `route` have none; `clear` without one means all owners. */
  readonly owner?: RulesetOwner | undefined;
  /** The set that `add` adds to. */
  readonly set?: string;
  /** What `inspect` compares with. With it, and after a load, the state tells a new one. */
  readonly listing?: string;
}

export const argumentsOf = ({ name, owner, set, listing }: Command): string[] =>
  [name, owner, set, listing].filter((word) => word !== undefined);

/** The name of the loader in logs and metrics. */
export type Loader = 'helper' | 'nsenter';

export interface RunResult {
  readonly stdout: string;
  /** True if the container's first process has left the namespace. */
  readonly hasProcessLeft?: boolean;
}

/** Every method fails with a `LoadError`. After a result or a failure nothing of the run goes on. */
export interface NamespaceRunner {
  /** The loader of the last command in this namespace, identified by the reference object. */
  loaderOf(namespace: NamespaceRef): Loader;
  run(namespace: NamespaceRef, command: Command, stdin?: string): Promise<RunResult>;
  /** Runs the command in an empty temporary namespace. */
  testLoad(command: Command, stdin?: string): Promise<RunResult>;
  /** Resolves when all helpers have been removed. */
  close(): Promise<void>;
}

/** Which program has the command. */
export const programOf = ({ name }: Command): 'netns' | 'host' =>
  HOST_COMMANDS.some((one) => one === name) ? 'host' : 'netns';

/** The path of that program in the helper image. */
export const programInImage = (command: Command): string =>
  `/usr/local/lib/egresstrator/${programOf(command)}`;

/** The path in a helper of the namespace that it should be in. */
export const sandboxInHelper = '/usr/local/lib/egresstrator/sandbox';

/** The exit code if it is in another namespace. */
export const IN_ANOTHER_NAMESPACE = 5;

/** The most bytes of stdout, and of stderr, that are kept. */
export const mostOutput = 8 * 1024 * 1024;
