/** What commands print with --json, held against what is promised. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { z } from 'zod';
import { SCHEMAS } from '../../src/cli/schemas/commands.ts';
import { faultsOf } from './json-schema.ts';

/** Fails where the value is not as both schemas of that name say, that in the program and that in docs/schemas. */
export async function expectPromised(name: string, printed: string): Promise<void> {
  const value: unknown = JSON.parse(printed);
  // What the schema does not know is missing in what it parses.
  expect(SCHEMAS[name]?.schema.parse(value), name).toEqual(value);
  const file = new URL(`../../docs/schemas/${name}.json`, import.meta.url);
  const written = z.looseObject({}).parse(JSON.parse(readFileSync(file, 'utf8')));
  expect(await faultsOf(written, value), name).toBe('');
}
