/**
 * Running `dataplane/netns` inside a network namespace: what differs between the ways to get there.
 */
import type { NamespaceRef } from './dataplane.ts';

/** The verbs of `dataplane/netns`. `load` and `reload` read a text from stdin. */
export type Command = 'load' | 'reload' | 'look' | 'refusals' | 'clear';

/** The ways into a namespace, as logs and metrics call them. */
export type Loader = 'helper' | 'nsenter';

export interface RunResult {
  readonly stdout: string;
  /** True if the container's first process has left the namespace. */
  readonly isLeft?: boolean;
}

/** Every method fails with a `LoadError`; when it has failed or answered, nothing of it runs any more. */
export interface NamespaceRunner {
  /** The way that a run would take into this namespace now. Never fails. */
  wayTo(namespace: NamespaceRef): Promise<Loader>;
  run(namespace: NamespaceRef, verb: Command, stdin?: string): Promise<RunResult>;
  /** The same in an empty namespace that is thrown away. */
  rehearse(verb: Command, stdin?: string): Promise<RunResult>;
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
