/** `networks check`: 0 no error, 1 errors, 2 the file cannot be read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { schemaFiles } from '../../../../src/cli/schemas/commands.ts';
import { UnansweredError, UsageError, UserError } from '../../../../src/common/errors.ts';
import { FileFields } from '../../../../src/features/networks/schema.ts';
import { askController, controlsOf } from '../../../support/ask-controller.ts';
import { faultsOf } from '../../../support/json-schema.ts';
import { EXAMPLE, EXAMPLE_TEXT } from '../../../support/networks-file.ts';

const GOOD = { ...EXAMPLE, policies: [] };
const WARNED = { ...GOOD, policies: [{ ...EXAMPLE.policies[1] }] };

async function check(text: string, ...args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-networks-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'networks.json');
  writeFileSync(path, text);
  const { error, stdout } = await askController(controlsOf({}), 'networks', 'check', path, ...args);
  return { code: codeOf(error), stdout: stdout.replaceAll(path, 'networks.json') };
}

const codeOf = (error: unknown) =>
  error instanceof UnansweredError || error instanceof UsageError ? 2 : error instanceof UserError ? 1 : 0;

test('prints a line for each problem, and what is in force', async () => {
  expect(await check(EXAMPLE_TEXT)).toEqual({
    code: 1,
    stdout: [
      'networks.json:33: error: policies[0].from: "publicbackend" is neither an entry of ips, a network nor an address; add it, or write an address',
      'networks.json:42: warning: policies[1].iface: names a device beside the container "wireguardproxy", and counts as the device wg0 of this host; write "where": "host" or "where": "container"',
      '2 networks, 2 containers, 0 permits, 1 forward; 1 error, 1 warning\n',
    ].join('\n'),
  });
});

test.each([
  ['a good file', JSON.stringify(GOOD), [], 0],
  ['a good file with --strict', JSON.stringify(GOOD), ['--strict'], 0],
  ['a warning', JSON.stringify(WARNED), [], 0],
  ['a warning with --strict', JSON.stringify(WARNED), ['--strict'], 1],
  ['an error', EXAMPLE_TEXT, [], 1],
  ['half a file', EXAMPLE_TEXT.slice(0, 300), [], 1],
  ['an empty file', '', [], 1],
] as const)('%s ends with its exit code', async (_, text, args, code) => {
  expect((await check(text, ...args)).code).toBe(code);
});

test('half a file is said to be one', async () => {
  expect((await check(EXAMPLE_TEXT.slice(0, 300))).stdout).toBe(
    'networks.json: error: the file ends in the middle (line 11, column 18), as a file that is half written\n0 networks, 0 containers, 0 permits, 0 forwards; 1 error, 0 warnings\n',
  );
});

test('a file that cannot be read, and none, end with 2', async () => {
  const ask = (...args: readonly string[]) => askController(controlsOf({}), 'networks', 'check', ...args);
  expect(codeOf((await ask('/nonexistent/networks.json')).error)).toBe(2);
  expect(codeOf((await ask()).error)).toBe(2);
});

test('prints each problem by its parts with --json', async () => {
  const { stdout } = await check(EXAMPLE_TEXT, '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ file: 'networks.json', networks: 2, ips: 2, permits: 0, forwards: 1 },
    problems: [
      { severity: 'error', line: 33, path: 'policies[0].from' },
      { severity: 'warning', line: 42, path: 'policies[1].iface' },
    ],
  });
});

test('the schema for editors takes the example, and rejects what is misspelled', async () => {
  const schema: object = JSON.parse(schemaFiles().get('networks.json') ?? '');
  expect(await faultsOf(schema, { $schema: 'x', ...EXAMPLE })).toBe('');
  expect(await faultsOf(schema, { ...EXAMPLE, polices: [] })).not.toBe('');
  expect(await faultsOf(schema, { policies: [{ ...EXAMPLE.policies[0], form: 'x' }] })).not.toBe('');
  expect(FileFields.safeParse(EXAMPLE).success).toBe(true);
});

test('diff lists what another file would change', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-networks-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const policy = { to: 'smarthostbackend-1', from: '192.0.2.0/24', port: '80-81', proto: 'tcp' };
  writeFileSync(join(folder, 'old.json'), EXAMPLE_TEXT);
  writeFileSync(join(folder, 'new.json'), JSON.stringify({ ...EXAMPLE, policies: [policy] }));
  writeFileSync(join(folder, 'half.json'), EXAMPLE_TEXT.slice(0, 99));
  const diff = (...names: readonly string[]) =>
    askController(
      controlsOf({}),
      ...['networks', 'diff', join(folder, names[1] ?? ''), '--networks', join(folder, names[0] ?? '')],
    );
  expect((await diff('old.json', 'new.json')).stdout.split('\n')).toEqual([
    '- wg0 of this host: tcp/80 leads to 172.18.103.2:80 (policies[1])',
    '+ 192.0.2.0/24 may reach 172.18.104.2 at tcp/80-81 (policies[0])',
    '',
  ]);
  expect((await diff('old.json', 'old.json')).stdout).toBe('no change\n');
  expect(codeOf((await diff('old.json', 'half.json')).error)).toBe(2);
});
