/**
 * Files that come with the program, the same beside `src` and beside `dist`.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

export const assetPath = (relative: string): string => fileURLToPath(new URL(relative, root));

/** The version in package.json. */
export function version(): string {
  const content: unknown = JSON.parse(readFileSync(assetPath('package.json'), 'utf8'));
  const isObject = typeof content === 'object' && content !== null;
  return isObject && 'version' in content ? String(content.version) : 'unknown';
}
