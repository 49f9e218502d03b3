/** Who reads the output of a command may stop early, and the output may be full. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { inCheckout } from '../../../lab/paths.ts';

const sh = (command: string) =>
  promisify(execFile)('sh', ['-c', command, 'sh', process.execPath, inCheckout('src/cli/main.ts')]).catch(
    (error: { readonly code: number; readonly stderr: string }) => error,
  );

test('a reader that stops early, as head does, is no error', async () => {
  const { stderr } = await sh('{ "$1" "$2" --help; echo "ended with $?" >&2; } | true');
  expect(stderr).toBe('ended with 0\n');
});

test('an output that cannot be written is said in one sentence', async () => {
  const failure = await sh('"$1" "$2" --help >/dev/full');
  expect(failure).toMatchObject({ code: 1 });
  expect(failure.stderr).toMatch(/^egresstrator: the output cannot be written: ENOSPC.*\n$/);
});
