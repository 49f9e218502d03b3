/** Log lines as they come out of the process that writes them, with fields that others wrote. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostileText } from '../../support/hostile-text.ts';

const PROGRAM = `
import { createLogger } from '${new URL('../../../src/daemon/log.ts', import.meta.url)}';
const [format, texts] = process.argv.slice(1);
const log = createLogger({ level: 'info', format, terminal: false, colour: false });
for (const text of JSON.parse(texts)) {
  const problem = { severity: 'error', key: text, line: 3, reason: text };
  const fields = { ...problem, name: text, caller: text, hostname: text, pid: text, error: text, err: text, [text]: text };
  log.warn({ ...fields, problems: [problem], stack: text, type: 'Error' }, text);
}
`;

const texts = fc.sample(hostileText, { numRuns: 40, seed: 7 });

async function logged(format: 'json' | 'text'): Promise<readonly string[]> {
  const args = ['--input-type=module', '-e', PROGRAM, format, JSON.stringify(texts)];
  const { stderr } = await promisify(execFile)(process.execPath, args, { encoding: 'utf8' });
  return stderr.replace(/\n$/, '').split('\n');
}

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

test('as JSON: one line each, nothing but text in it, and the same value', async () => {
  const lines = await logged('json');
  expect(lines).toHaveLength(texts.length);
  for (const [index, line] of lines.entries()) {
    expect(line).not.toMatch(UNPRINTABLE);
    expect(JSON.parse(line)).toMatchObject({ key: texts[index], msg: texts[index] });
  }
});

test('for people: nothing but text, and no line that others began', async () => {
  for (const line of await logged('text')) {
    expect(line).not.toMatch(UNPRINTABLE);
    expect(line).not.toMatch(/^EVIL/);
  }
});
