/**
 * `npm run schemas`: writes docs/schemas, one file for each command's --json, and removes what is there besides.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { inCheckout } from '../lab/paths.ts';
import { schemaFiles } from '../src/cli/schemas/commands.ts';

const folder = inCheckout('docs/schemas');
const files = schemaFiles();

mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(`${folder}/${name}`);
for (const [name, text] of files) writeFileSync(`${folder}/${name}`, text);
