/**
 * Finds the container that a user names: by name, id, or the beginning of an id, as `docker` does. All commands use
 * this, so that one word means the same container everywhere.
 */

import { UserError } from '../common/errors.ts';
import type { Container, ContainerId } from './container.ts';

export interface Nameable {
  readonly names: readonly string[];
  readonly ids: readonly string[];
}

/** Undefined if nothing matches. Throws a `UserError` if several ids begin with it. */
export function pickNamed<T>(all: Iterable<T>, word: string, nameable: (one: T) => Nameable): T | undefined {
  const known = [...all].map((one) => ({ one, ...nameable(one) }));
  const exact =
    known.find(({ ids }) => ids.includes(word)) ?? known.find(({ names }) => names.includes(word));
  if (exact !== undefined) return exact.one;
  const beginsSo = (id: string) => id.startsWith(word);
  const found = /^[0-9a-f]{1,64}$/.test(word) ? known.filter(({ ids }) => ids.some(beginsSo)) : [];
  if (found.length > 1) {
    const choices = found.map(({ names, ids }) => `${names[0]} (${ids.find(beginsSo)?.slice(0, 12)})`);
    throw new UserError(
      `"${word}" matches ${found.length} containers: ${choices.join(', ')}; give more of the id, or the name`,
    );
  }
  return found[0]?.one;
}

/** Throws a `UserError` if `word` matches none or several of the running containers. */
export function pickContainer(containers: ReadonlyMap<ContainerId, Container>, word: string): Container {
  const found = pickNamed(containers.values(), word, ({ name, id }) => ({ names: [name], ids: [id] }));
  if (found !== undefined) return found;
  throw new UserError(`there is no running container "${word}"; "docker ps" lists those that run`);
}
