/**
 * The error messages of failed loads, the same for all loaders.
 */
import { LoadError } from '../common/errors.ts';
import type { Command } from './runner.ts';

/** Completes "could not …". */
const doing: Readonly<Record<Command['name'], string>> = {
  load: 'load rules in',
  reload: 'load rules in',
  inspect: 'read the loaded rules in',
  denied: 'read the denied connections of',
  add: 'add to the rules in',
  clear: 'remove the rules of',
  list: 'list the rules in',
  place: 'find the network namespace of',
  routes: 'read the routes of',
  reroute: 'make routes in',
  firewall: "read the Engine's own rules on",
  passages: 'put the passages in the firewalls of',
  check: 'read the firewalls of',
  remove: 'remove the passages from the firewalls of',
  forwards: 'read the forwards of',
  forget: 'end connections of removed forwards of',
  watch: 'watch the rules of',
  facts: 'read the routes of',
  forward: 'let packets be forwarded by',
};

export interface Failure {
  readonly command: Command;
  /** The container's name, or a description of the namespace. */
  readonly name: string;
}

const sentence = ({ command, name }: Failure, reason: string): string =>
  `Could not ${doing[command.name]} ${name}: ${reason.replace(/[\s.]+$/, '')}.`;

/** `dataplane/netns` ended with a code that is not 0. */
export function exited(failure: Failure, exitCode: number, stderr: string): LoadError {
  const message = nftError(stderr) ?? firstLine(stderr);
  // The process was killed because it reached the memory limit; the shell prints "Killed".
  const killed = exitCode === 137 || message === 'Killed';
  const why = killed
    ? 'it was killed, perhaps because it ran out of memory'
    : message || 'no reason was given';
  const reason = `${why} (exit code ${exitCode})`;
  return new LoadError(sentence(failure, reason), { exitCode, stderr });
}

export const tookTooLong = (failure: Failure, limit: number): LoadError =>
  new LoadError(sentence(failure, `it took longer than ${Number((limit / 1000).toFixed(1))} s`));

export const gone = (failure: Failure, reason: string, cause?: unknown): LoadError =>
  new LoadError(sentence(failure, reason), { gone: true, cause });

export const failed = (failure: Failure, reason: string, cause?: unknown): LoadError =>
  new LoadError(sentence(failure, reason), { cause });

export const onHostNetwork = (failure: Failure): LoadError =>
  failed(failure, "it is in the host's own network namespace, where nothing is ever loaded");

/**
 * nft's error message with the text that it is about. Its line number is left out, because it counts in the loaded
 * text and not in the template.
 */
function nftError(stderr: string): string | undefined {
  const [, reason, words] = /^\/dev\/stdin:[\d:-]+: Error: (.*)\n(.*)$/m.exec(stderr) ?? [];
  return reason === undefined ? undefined : `${reason}, in "${words?.trim()}"`;
}

const firstLine = (text: string): string =>
  text
    .split('\n')
    .find((line) => line.trim() !== '')
    ?.trim() ?? '';
