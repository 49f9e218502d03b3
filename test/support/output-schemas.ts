/** Compares the output of commands with --json with their schemas. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { z } from 'zod';
import { SCHEMAS } from '../../src/cli/schemas/commands.ts';
import { type Validator, validatorOf } from './json-schema.ts';

/** Fails if the output does not match both schemas of that name, the program's and that of docs/schemas. */
export async function expectMatchesSchema(name: string, printed: string): Promise<void> {
  const value: unknown = JSON.parse(printed);
  // A field that the schema does not have is missing in its result.
  expect(SCHEMAS[name]?.schema.parse(value), name).toEqual(value);
  const validator = validators.get(name) ?? validatorOf(written(name));
  validators.set(name, validator);
  expect(await validator(value), name).toBe('');
}

/** Of docs/schemas, by the name of the schema: each is made once. */
const validators = new Map<string, Validator>();

function written(name: string): object {
  const file = new URL(`../../docs/schemas/${name}.json`, import.meta.url);
  return z.looseObject({}).parse(JSON.parse(readFileSync(file, 'utf8')));
}
