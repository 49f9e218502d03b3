/**
 * Finds a container by its name, its id, or the beginning of its id.
 */

import { UserError } from '../common/errors.ts';
import type { Container, ContainerId } from './container.ts';

/** Throws a `UserError` if `word` matches no running container, or several. */
export function pickContainer(containers: ReadonlyMap<ContainerId, Container>, word: string): Container {
  const all = [...containers.values()];
  const exact = all.find((one) => one.name === word || one.id === word);
  if (exact !== undefined) return exact;
  const byId = /^[0-9a-f]{1,64}$/.test(word) ? all.filter((one) => one.id.startsWith(word)) : [];
  const [only, ...others] = byId;
  if (only === undefined) {
    throw new UserError(`there is no running container "${word}"; "docker ps" lists those that run`);
  }
  if (others.length > 0) {
    const names = byId.map((one) => `${one.name} (${one.id.slice(0, 12)})`).join(', ');
    throw new UserError(
      `"${word}" matches ${byId.length} containers: ${names}; give more of the id, or the name`,
    );
  }
  return only;
}
