/**
 * Files that come with the program, the same beside `src` and beside `dist`.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const root = new URL('../../', import.meta.url);

export const assetPath = (relative: string): string => fileURLToPath(new URL(relative, root));

/** The version in package.json. */
export const version = (): string =>
  z.object({ version: z.string() }).parse(JSON.parse(readFileSync(assetPath('package.json'), 'utf8')))
    .version;
