/** A program in TypeScript or of many modules is compiled at each start of it without this: it takes half of its time. */
import { join } from 'node:path';
import { labDir } from '../../lab/paths.ts';

/** Filled by a program that exits by itself, not by one that a signal ends. */
export const compiled: Readonly<Record<string, string>> = { NODE_COMPILE_CACHE: join(labDir(), 'compiled') };
