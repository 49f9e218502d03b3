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

/**
 * Suites that run beside each other. Those of the first lane need no Engine, or have Engines that those of the other
 * do not use (`escape` has the one called `host`). With arguments all goes to one vitest.
 */
const LANES: readonly (readonly string[])[] = [
  ['unit', 'kernel', 'consul', 'hostile', 'escape'],
  ['integration', 'e2e'],
];

async function main(args: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-test-'));
  const lanes = args.length > 0 ? [args] : LANES.map((lane) => lane.map((name) => `--project=${name}`));
  const counts = await Promise.all(
    lanes.map(async (words, lane) => {
      const file = join(folder, `report-${lane}.json`);
      const exitCode = await runVitest(words, file);
      return count(readReport(file), exitCode);
    }),
  );
  rmSync(folder, { recursive: true, force: true });
  const sum = (key: keyof Count) => counts.reduce((total, one) => total + one[key], 0);
  if (sum('skipped') > 0) console.log(`${sum('skipped')} skipped`);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = sum('failed') > 0 ? 1 : 0;
}

async function runVitest(args: readonly string[], file: string): Promise<number> {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const result = await execa('vitest', ['run', ...reporters, ...args], {
    preferLocal: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    reject: false,
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
