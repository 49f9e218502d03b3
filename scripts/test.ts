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

async function main(args: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-test-'));
  const file = join(folder, 'report.json');
  const exitCode = await runVitest(args, file);
  const { passed, failed, skipped } = count(readReport(file), exitCode);
  rmSync(folder, { recursive: true, force: true });
  if (skipped > 0) console.log(`${skipped} skipped`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
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
