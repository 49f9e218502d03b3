/**
 * Running `dataplane/netns` inside a network namespace: what differs between the ways to get there.
 */

import type { RulesetOwner } from '../inventory/ruleset.ts';
import type { NamespaceRef } from './dataplane.ts';

/** The commands of `dataplane/netns` that are used here. `load` and `reload` read a text from stdin. */
export type CommandName = 'load' | 'reload' | 'inspect' | 'denied' | 'add' | 'clear' | 'list';

export interface Command {
  readonly name: CommandName;
  /** `list` has none; `clear` without one means all owners. */
  readonly owner?: RulesetOwner | undefined;
  /** The set that `add` adds to. */
  readonly set?: string;
  /** What `inspect` compares with. With it, and after a load, the state tells a new one. */
  readonly listing?: string;
}

export const wordsOf = ({ name, owner, set, listing }: Command): string[] =>
  [name, owner, set, listing].filter((word) => word !== undefined);

/** What runs the program in a namespace, as logs and metrics call it. */
export type Loader = 'helper' | 'nsenter';

export interface RunResult {
  readonly stdout: string;
  /** True if the container's first process has left the namespace. */
  readonly hasProcessLeft?: boolean;
}

/** Every method fails with a `LoadError`; when it has failed or answered, nothing of it runs any more. */
export interface NamespaceRunner {
  /** What has run the last command in this namespace, which is known by the identity of the reference. */
  loaderOf(namespace: NamespaceRef): Loader;
  run(namespace: NamespaceRef, command: Command, stdin?: string): Promise<RunResult>;
  /** The same in an empty namespace that is thrown away. */
  testLoad(command: Command, stdin?: string): Promise<RunResult>;
  /** Resolves when nothing of ours is left to be tidied up. */
  close(): Promise<void>;
}

/** Where `dataplane/netns` is in the helper image. */
export const programInImage = '/usr/local/lib/egresstrator/netns';

/** Where `dataplane/netns` finds the namespace that it should be in, in a helper. */
export const sandboxInHelper = '/usr/local/lib/egresstrator/sandbox';

/** With this exit code it says that it is in another. */
export const IN_ANOTHER_NAMESPACE = 5;

/** Bytes of stdout, and of stderr, that are kept. */
export const mostOutput = 8 * 1024 * 1024;
