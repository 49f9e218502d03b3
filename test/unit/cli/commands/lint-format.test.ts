/** `lint --format`: what GitHub and code scanning take in. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { presentAnnotations } from '../../../../src/cli/present/annotations.ts';
import { sarifOf } from '../../../../src/cli/present/sarif.ts';
import type { Finding } from '../../../../src/domain/insight/finding.ts';
import { askController, controlsOf } from '../../../support/ask-controller.ts';
import { hostileText } from '../../../support/hostile-text.ts';

const controls = controlsOf({
  picture: async () => ({
    places: [
      {
        ...{ workloads: ['web'], ids: ['aa'], target: 'web', grants: ['gone'] },
        mode: 'enforce',
        dns: 'none',
      },
    ],
    rules: [{ key: 'a, b', text: '10.0.0.1\n10.0.0.1/24:tcp/80' }],
    ...{ services: [], unread: [], protectedHosts: [], denylist: false, recordsRefusals: true },
  }),
});

/**
 * As published by OASIS, github.com/oasis-tcs/sarif-spec. It calls itself by an older draft of JSON Schema, of which it
 * uses what later ones have as well.
 */
const published: unknown = JSON.parse(
  readFileSync(new URL('../../../vectors/sarif-schema-2.1.0.json', import.meta.url), 'utf8'),
  (name, value: unknown) =>
    ['$schema', 'id'].includes(name) && typeof value === 'string' ? undefined : value,
);

async function faultsOf(sarif: unknown): Promise<string> {
  const customOptions = {
    removeAdditional: false,
    coerceTypes: false,
    useDefaults: false,
    strict: false,
  } as const;
  const server = fastify({ ajv: { customOptions }, bodyLimit: 10_000_000 });
  server.post('/', { schema: { body: published } }, () => 'valid');
  const headers = { 'content-type': 'application/json' };
  const { payload } = await server.inject({
    method: 'POST',
    url: '/',
    headers,
    payload: JSON.stringify(sarif),
  });
  await server.close();
  return payload === 'valid' ? '' : payload;
}

function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-lint-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'rules'), text);
  return join(folder, 'rules');
}

test('GitHub is told the line of a file', async () => {
  const path = fileOf('10.0.0.1:tcp/81\napi.example.com 100%\n0.0.0.0/0:tcp/80\n');
  const { stdout } = await askController(controls, 'lint', '--file', path, '--format', 'github');
  expect(stdout.trimEnd().split('\n')).toEqual([
    expect.stringMatching(
      new RegExp(
        `^::error file=${path},line=2,title=bad-line::api.example.com 100%25: expected .*; correct the line`,
      ),
    ),
    expect.stringMatching(
      new RegExp(`^::warning file=${path},line=3,title=broad::0.0.0.0/0:tcp/80: it allows`),
    ),
  ]);
});

test('GitHub is told the key of Consul', async () => {
  const { stdout } = await askController(controls, 'lint', '--format', 'github');
  expect(stdout).toContain('::error title=bad-line%3A a%2C b line 1::10.0.0.1: expected a protocol');
  expect(stdout).toContain('::error title=missing-key%3A gone::web asks for this key');
});

test('SARIF of a file and of Consul is as it is published', async () => {
  const path = fileOf('10.0.0.1\npg\npg\n');
  for (const args of [['--file', path], []]) {
    const { stdout } = await askController(controls, 'lint', ...args, '--format', 'sarif');
    expect(await faultsOf(JSON.parse(stdout))).toBe('');
  }
  const { stdout } = await askController(controls, 'lint', '--file', path, '--format', 'sarif');
  expect(JSON.parse(stdout)).toMatchObject({
    version: '2.1.0',
    runs: [
      {
        results: [
          {
            ...{ ruleId: 'bad-line', level: 'error' },
            locations: [
              { physicalLocation: { artifactLocation: { uri: `file://${path}` }, region: { startLine: 1 } } },
            ],
          },
          { ruleId: 'duplicate', level: 'note' },
        ],
      },
    ],
  });
  expect(await faultsOf({ version: '2.1.0', runs: [{ results: [] }] })).toContain('tool');
});

test('whatever the texts hold, it stays one command a line, and SARIF', async () => {
  const finding = (text: string): Finding => ({
    ...{ severity: 'error', code: 'bad-line', key: text, line: 1, text, reason: text, remedy: text },
  });
  const texts = fc.sample(hostileText, 50);
  expect(await faultsOf(sarifOf(texts.map(finding), 'egress/acl/', '1'))).toBe('');
  for (const text of texts)
    expect(presentAnnotations([finding(text)], true)).toMatch(
      /^::error file=[^:,\n\r]*,line=1,title=bad-line::[^\n\r]*$/,
    );
});

test.each([
  [['--format', 'xml'], '--format: expected one of text, github, sarif'],
  [['--format', 'sarif', '--json'], 'give either --json or --format'],
])('%j is wrong usage', async (args, message) => {
  expect(await askController(controls, 'lint', ...args)).toMatchObject({ error: { message } });
});
