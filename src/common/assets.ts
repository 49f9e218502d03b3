/**
 * Files that come with the program, the same beside `src` and beside `dist`: this file is two folders below them, and
 * so is each chunk of the bundle.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../..', import.meta.url);

export const assetPath = (relative: string): string => fileURLToPath(new URL(relative, root));

/** The version in package.json. */
export const version = (): string => text(field(packageJson(), 'version')) ?? 'unknown';

/** The major version of Node.js that `engines` in package.json asks for, as `>=24`. */
export const neededNode = (): number =>
  Number(/^>=(\d+)$/.exec(text(field(field(packageJson(), 'engines'), 'node')) ?? '')?.[1] ?? 0);

const packageJson = (): unknown => JSON.parse(readFileSync(assetPath('package.json'), 'utf8'));

const field = (object: unknown, name: string): unknown =>
  typeof object === 'object' && object !== null ? Reflect.get(object, name) : undefined;

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
