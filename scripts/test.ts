/**
 * Runs vitest and closes with one plain line over all suites: `12 passed, 0 failed`.
 *
 * A file that does not load has no tests to fail, and an error outside of any test fails none, so
 * both are counted here. Arguments go to vitest: `npm test -- --project unit rule`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { status: string; assertionResults: readonly { status: string }[] }[];
}

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Lane {
  readonly projects: readonly string[];
  /** Words of which a file's path must hold one; default: all files. */
  readonly files?: readonly string[];
}

/**
 * Suites that run beside each other. Those of the first lane need no Engine. The second lane waits more than it
 * computes, and runs several files at once.
 */
const ALL: readonly Lane[] = [
  { projects: ['unit', 'kernel', 'consul', 'browser'] },
  { projects: ['integration', 'e2e', 'escape', 'hostile'] },
];

/** The main job on one Engine, loading by nsenter alone. */
const QUICK: readonly Lane[] = [
  { projects: ['unit'] },
  { projects: ['kernel'] },
  {
    projects: ['integration'],
    files: ['/controller.test', '/dataplane-nsenter.test', '/docker-containers.test'],
  },
];
const QUICK_CHOICE = { EGRESSTRATOR_TEST_ENGINES: '28.5', EGRESSTRATOR_TEST_LOADERS: 'nsenter' };

const wordsOf = ({ projects, files = [] }: Lane): readonly string[] => [
  ...projects.map((name) => `--project=${name}`),
  ...files,
];

async function main(args: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-test-'));
  const isQuick = args[0] === '--quick';
  // With arguments all goes to one vitest.
  const lanes = isQuick || args.length === 0 ? (isQuick ? QUICK : ALL).map(wordsOf) : [args];
  const counts = await Promise.all(
    lanes.map(async (words, lane) => {
      const file = join(folder, `report-${lane}.json`);
      const exitCode = await runVitest(words, file, isQuick ? QUICK_CHOICE : {});
      return count(readReport(file), exitCode);
    }),
  );
  rmSync(folder, { recursive: true, force: true });
  const sum = (key: keyof Count) => counts.reduce((total, one) => total + one[key], 0);
  if (sum('skipped') > 0) console.log(`${sum('skipped')} skipped`);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = sum('failed') > 0 ? 1 : 0;
}

async function runVitest(
  args: readonly string[],
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const result = await execa('vitest', ['run', ...reporters, ...args], {
    preferLocal: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    reject: false,
    env,
  });
  return result.exitCode ?? 1;
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function count(report: Report | undefined, exitCode: number): Count {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const failed = report.numFailedTests + report.testResults.filter(failedOutsideOfTests).length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** The file failed, but none of its tests did. */
function failedOutsideOfTests({ status, assertionResults }: Report['testResults'][number]): boolean {
  return status === 'failed' && assertionResults.every((test) => test.status !== 'failed');
}

await main(process.argv.slice(2));
