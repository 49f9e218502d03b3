/** How the lab adds a bridge. */
import { createHash } from 'node:crypto';

/**
 * The words of `ip` for it. A bridge that was given no address has the lowest of its ports' addresses. So a port that comes
 * or goes may change it, and neighbours that have the old address are not told: what they send is lost for up to a minute.
 */
export const addingBridge = (name: string): readonly string[] => [
  ...['link', 'add', name],
  ...['address', addressFor(name), 'type', 'bridge'],
];

/** One of those that everybody may give (02), the same for the same name. */
const addressFor = (name: string): string =>
  ['02', ...(createHash('sha256').update(name).digest('hex').slice(0, 10).match(/../g) ?? [])].join(':');
