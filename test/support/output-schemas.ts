/** Compares the output of commands with --json with their schemas. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { z } from 'zod';
import { SCHEMAS } from '../../src/cli/schemas/commands.ts';
import { faultsOf } from './json-schema.ts';

/** Fails if the output does not match both schemas of that name, the program's and that of docs/schemas. */
export async function expectMatchesSchema(name: string, printed: string): Promise<void> {
  const value: unknown = JSON.parse(printed);
  // A field that the schema does not have is missing in its result.
  expect(SCHEMAS[name]?.schema.parse(value), name).toEqual(value);
  const file = new URL(`../../docs/schemas/${name}.json`, import.meta.url);
  const written = z.looseObject({}).parse(JSON.parse(readFileSync(file, 'utf8')));
  expect(await faultsOf(written, value), name).toBe('');
}
