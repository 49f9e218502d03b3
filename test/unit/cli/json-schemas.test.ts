/**
 * Whoever reads --json by the schemas in docs/schemas finds what they say: each command has one, and prints by it
 * nothing more and nothing less.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import { report } from '../../../src/cli/commands/gate.ts';
import { reportRestored } from '../../../src/cli/commands/host-restore.ts';
import { reportSteps } from '../../../src/cli/commands/networks-apply.ts';
import { commandContext } from '../../../src/cli/diagnostics/context.ts';
import type { Check } from '../../../src/cli/doctor/checks.ts';
import type { Host } from '../../../src/cli/format/cluster.ts';
import { SCHEMAS, schemaFiles } from '../../../src/cli/schemas/commands.ts';
import type { Checked, Cluster, GateState, Uninstalled } from '../../../src/cli/schemas/host.ts';
import type { NetworksSteps } from '../../../src/cli/schemas/networks.ts';
import type { Differing, Suggested } from '../../../src/cli/schemas/rules.ts';
import type { StepResult } from '../../../src/cli/uninstall/step.ts';
import type { Flags } from '../../../src/config/config.ts';
import type { Terminal } from '../../../src/config/terminal.ts';
import type {
  DeniedReply,
  DiffReply,
  KeysReply,
  LintReply,
  SuggestReply,
} from '../../../src/daemon/api/diagnostics-schema.ts';
import type { ExplainReply } from '../../../src/daemon/api/explain-schema.ts';
import type {
  DeniedInReply,
  ExplainInReply,
  HostReply,
  SuggestInReply,
} from '../../../src/daemon/api/host-schema.ts';
import type { StatusReply } from '../../../src/daemon/api/schema.ts';
import type { Status } from '../../../src/daemon/status.ts';
import type { DeniedAnswer } from '../../../src/diagnostics/denied-answer.ts';
import type { DeniedInAnswer } from '../../../src/diagnostics/denied-in.ts';
import type { DiffAnswer, KeysAnswer, LintAnswer } from '../../../src/diagnostics/diagnostics.ts';
import type { Diff } from '../../../src/diagnostics/diff.ts';
import type { ExplainAnswer } from '../../../src/diagnostics/explain-answer.ts';
import type { ExplainInAnswer } from '../../../src/diagnostics/explain-in.ts';
import type { HostAnswer } from '../../../src/diagnostics/host-view.ts';
import type { ContainerSuggestion, SuggestAnswer } from '../../../src/diagnostics/suggest-answer.ts';
import type { SuggestInAnswer } from '../../../src/diagnostics/suggest-in.ts';
import type { GateStatus } from '../../../src/gate/status.ts';
import { type HostileFixture, openHostileFixture } from '../../support/hostile-fixture.ts';
import { expectMatchesSchema } from '../../support/output-schemas.ts';
import { commandsOf, silentProgram } from '../../support/program.ts';

const docs = new URL('../../../docs/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, docs), 'utf8');

test('the files in docs/schemas are those that `npm run schemas` writes', () => {
  const files = schemaFiles();
  expect(readdirSync(new URL('schemas/', docs)).sort()).toEqual([...files.keys()].sort());
  for (const [name, text] of files) expect(read(`schemas/${name}`), name).toBe(text);
});

test('each command that takes --json has a schema', () => {
  const takers = commandsOf(silentProgram())
    .filter(({ options }) => options.some(({ long }) => long === '--json'))
    .map((command) => [command.parent?.parent ? command.parent.name() : '', command.name()].join(' ').trim());
  const calls = Object.values(SCHEMAS).map(({ call }) => call.replace(/ (?:<|--).*/, ''));
  expect([...new Set(calls)].sort()).toEqual(takers.sort());
});

test('the table in docs/commands.md names each command and its schema', () => {
  const rows = [...read('commands.md').matchAll(/^\| `([^`]+)` +\| \[.*\]\(schemas\/(.*)\.json\) +\|/gm)];
  const listed = rows.map(([, call, name]) => [call, name]);
  expect(listed).toEqual(Object.entries(SCHEMAS).map(([name, { call }]) => [call, name]));
});

/** The schema of what a call prints: that whose words it has, and of several the one with most words. */
function schemaOf(args: readonly string[]): string {
  const has = (word: string, at: number) => {
    if (word.startsWith('--')) return args.includes(word);
    return word.startsWith('<') ? args[at]?.startsWith('--') === false : args[at] === word;
  };
  const fitting = Object.entries(SCHEMAS)
    .map(([name, { call }]) => ({ name, words: call.split(' ') }))
    .filter(({ words }) => words.every(has));
  return fitting.sort((a, b) => b.words.length - a.words.length)[0]?.name ?? '';
}

const changed = (flags: Flags, terminal: Terminal) => report(['wrote runtime'], flags, terminal);

const STEPS: NetworksSteps = {
  file: 'networks.json',
  steps: [
    { action: 'make', kind: 'network', text: 'network web 10.0.0.0/24', path: 'networks.web' },
    { action: 'remove', kind: 'route', text: 'web reaches 10.1.0.2 via 10.0.0.1' },
  ],
  problems: [{ severity: 'warning', line: 3, path: 'ips.web.ip', reason: 'is in no network' }],
};

/** Commands that need root, or a host of their own, by what prints their result. */
const PRINTED: readonly (readonly [string, (flags: Flags, terminal: Terminal) => void])[] = [
  ['gate-install', changed],
  ['gate-uninstall', changed],
  ['networks-apply', (...how) => reportSteps(STEPS, commandContext(...how))],
  ['host-restore', (...how) => reportRestored({ fingerprint: 'f'.repeat(32), isOfThisBoot: true }, ...how)],
];

describe('what is printed', () => {
  let fixture: HostileFixture;
  beforeAll(async () => {
    fixture = await openHostileFixture();
  });
  afterAll(() => fixture.close());

  /** Runs a command and returns the name of the schema that what it printed keeps; undefined if it printed nothing. */
  async function keptBy(args: readonly string[]): Promise<string | undefined> {
    const { stdout } = await fixture.run([...args, '--json'], false);
    if (stdout === '') return undefined;
    const name = schemaOf(args);
    const values = name === 'denied-follow' ? stdout.trimEnd().split('\n') : [stdout];
    for (const value of values) await expectMatchesSchema(name, value);
    return name;
  }

  test.each(['web 1', 'x\u001b[2J\nEVIL\u2028"\ufeff'])(
    'is promised where others say %j',
    async (word) => {
      fixture.setText(word);
      const { completion: _, ...calls } = fixture.calls();
      const kept = new Set<string | undefined>(PRINTED.map(([name]) => name));
      for (const [command, all] of Object.entries(calls))
        for (const args of all) kept.add(await keptBy([command, ...args]));
      expect(Object.keys(SCHEMAS).filter((name) => !kept.has(name))).toEqual([]);
    },
    120_000,
  );

  test.each(PRINTED)('is promised by %s', async (name, print) => {
    let stdout = '';
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        stdout += String(chunk);
        done();
      },
    });
    print({ json: true }, { stdout: stream, stderr: stream, environment: {} });
    await expectMatchesSchema(name, stdout);
  });
});

type Unwritten<T> = T extends object ? { readonly [K in keyof T]: Unwritten<T[K]> } : T;
type InputOf<S extends z.ZodType> = Unwritten<z.input<S>>;

test('what the program can print at all is promised, as the compiler sees', () => {
  expectTypeOf<Status>().toExtend<InputOf<typeof StatusReply>>();
  expectTypeOf<Host>().toExtend<InputOf<typeof Cluster>['hosts'][number]>();
  expectTypeOf<ExplainAnswer>().toExtend<InputOf<typeof ExplainReply>>();
  expectTypeOf<DeniedAnswer>().toExtend<InputOf<typeof DeniedReply>>();
  expectTypeOf<SuggestAnswer>().toExtend<InputOf<typeof SuggestReply>>();
  expectTypeOf<ContainerSuggestion>().toExtend<InputOf<typeof Suggested>['suggestions'][number]>();
  expectTypeOf<LintAnswer>().toExtend<InputOf<typeof LintReply>>();
  expectTypeOf<DiffAnswer>().toExtend<InputOf<typeof DiffReply>>();
  expectTypeOf<Diff>().toExtend<Omit<InputOf<typeof Differing>, 'key'>>();
  expectTypeOf<HostAnswer>().toExtend<InputOf<typeof HostReply>>();
  expectTypeOf<ExplainInAnswer>().toExtend<InputOf<typeof ExplainInReply>>();
  expectTypeOf<DeniedInAnswer>().toExtend<InputOf<typeof DeniedInReply>>();
  expectTypeOf<SuggestInAnswer>().toExtend<InputOf<typeof SuggestInReply>>();
  expectTypeOf<KeysAnswer>().toExtend<InputOf<typeof KeysReply>>();
  expectTypeOf<Check>().toExtend<InputOf<typeof Checked>['checks'][number]>();
  expectTypeOf<StepResult>().toExtend<InputOf<typeof Uninstalled>['steps'][number]>();
  expectTypeOf<GateStatus>().toExtend<InputOf<typeof GateState>>();
});
