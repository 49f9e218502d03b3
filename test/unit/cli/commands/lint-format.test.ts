/** `lint --format`: what GitHub and code scanning take in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { formatAnnotations } from '../../../../src/cli/format/annotations.ts';
import { sarifOf } from '../../../../src/cli/format/sarif.ts';
import type { Finding } from '../../../../src/diagnostics/finding.ts';
import { askController, controlsOf } from '../../../support/ask-controller.ts';
import { hostileText } from '../../../support/hostile-text.ts';
import { diagnosticsOf } from '../../../support/snapshot.ts';

const controls = controlsOf({
  diagnostics: diagnosticsOf(() => ({
    namespaces: [
      {
        ...{ workloads: ['web'], ids: ['aa'], target: 'web', grants: ['gone'] },
        mode: 'enforce',
        dns: 'none',
      },
    ],
    keys: { 'a, b': '10.0.0.1\n10.0.0.1/24:tcp/80' },
  })),
});

/** What of SARIF 2.1.0 (section 3 of the standard) is written, as the standard requires it, and nothing else. */
const message = z.strictObject({ text: z.string().min(1) });
const uriReference = z.string().refine((uri) => URL.canParse(uri, 'file:///') && /^[\x21-\x7e]+$/.test(uri));
const location = z.strictObject({
  physicalLocation: z
    .strictObject({
      artifactLocation: z.strictObject({ uri: uriReference }),
      region: z.strictObject({ startLine: z.int().min(1) }).optional(),
    })
    .optional(),
  logicalLocations: z.array(z.strictObject({ name: z.string(), kind: z.string() })).optional(),
});
const result = z.strictObject({
  ...{ ruleId: z.string(), level: z.enum(['none', 'note', 'warning', 'error']), message },
  locations: z.array(location),
});
const driver = z.strictObject({
  ...{ name: z.string().min(1), version: z.string() },
  rules: z.array(z.strictObject({ id: z.string(), shortDescription: message })),
});
const sarif = z.strictObject({
  ...{ $schema: z.url(), version: z.literal('2.1.0') },
  runs: z.array(z.strictObject({ tool: z.strictObject({ driver }), results: z.array(result) })),
});

/** Each result names a rule that the tool describes. */
const faultsOf = (log: unknown): string => {
  const { success, data, error } = sarif.safeParse(log);
  if (!success) return z.prettifyError(error);
  const unknown = data.runs.flatMap(({ tool, results }) => {
    const known = new Set(tool.driver.rules.map(({ id }) => id));
    return results.filter(({ ruleId }) => !known.has(ruleId)).map(({ ruleId }) => ruleId);
  });
  return unknown.join();
};

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

test('SARIF of a file and of Consul is as the standard requires it', async () => {
  const path = fileOf('10.0.0.1\npg\npg\n');
  for (const args of [['--file', path], []]) {
    const { stdout } = await askController(controls, 'lint', ...args, '--format', 'sarif');
    expect(faultsOf(JSON.parse(stdout))).toBe('');
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
  expect(faultsOf({ version: '2.1.0', runs: [{ results: [] }] })).toContain('tool');
});

test('whatever the texts hold, it stays one command a line, and SARIF', async () => {
  const finding = (text: string): Finding => ({
    ...{ severity: 'error', code: 'bad-line', key: text, line: 1, text, reason: text, remedy: text },
  });
  const texts = fc.sample(hostileText, 50);
  expect(
    faultsOf(sarifOf(texts.map(finding), { kvPath: 'egress/acl/', ingressPath: 'ingress/acl/' }, '1')),
  ).toBe('');
  for (const text of texts)
    expect(formatAnnotations([finding(text)], true)).toMatch(
      /^::error file=[^:,\n\r]*,line=1,title=bad-line::[^\n\r]*$/,
    );
});

test.each([
  [['--format', 'xml'], '--format: expected one of text, github, sarif'],
  [['--format', 'sarif', '--json'], 'give either --json or --format'],
])('%j is wrong usage', async (args, message) => {
  expect(await askController(controls, 'lint', ...args)).toMatchObject({ error: { message } });
});
