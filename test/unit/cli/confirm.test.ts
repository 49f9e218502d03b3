/** Asking before something is taken away: who says yes, who says no, and who cannot be asked. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { type Consent, confirm } from '../../../src/cli/confirm.ts';
import type { Terminal } from '../../../src/config/terminal.ts';

/** `answer` is what somebody types; undefined: the input ends. */
async function asked(answer: string | undefined, consent: Partial<Consent> = {}, isTTY = true) {
  const [stdin, stderr] = [new PassThrough(), new PassThrough()].map((stream) =>
    Object.assign(stream, { isTTY }),
  );
  if (stdin === undefined || stderr === undefined) throw new Error('no streams');
  const terminal: Terminal = { stdin, stderr, stdout: new PassThrough(), environment: {} };
  if (answer === undefined) stdin.end();
  else stdin.write(answer);
  const all = { yes: undefined, json: false, otherwise: 'nothing was removed', ...consent };
  const outcome = await confirm(all, terminal).then(
    () => 'goes on',
    (error: unknown) => String(error),
  );
  return { outcome, prompt: String(stderr.read() ?? '') };
}

test.each(['y\n', 'Y\n', 'yes\n', ' yes \n'])('%j goes on', async (answer) => {
  const { outcome, prompt } = await asked(answer);
  expect(outcome).toBe('goes on');
  expect(prompt).toContain('Go on? [y/N] ');
});

test.each(['\n', 'n\n', 'no\n', 'yesterday\n', undefined])('%j does not', async (answer) => {
  expect((await asked(answer)).outcome).toBe('UserError: nothing was removed');
});

test('--yes asks nobody', async () => {
  expect(await asked(undefined, { yes: true }, false)).toEqual({ outcome: 'goes on', prompt: '' });
});

test('without a terminal, or for a program, nobody is asked and nothing is done', async () => {
  const refused = 'UsageError: nothing was removed: without a terminal, add --yes';
  expect((await asked('y\n', {}, false)).outcome).toBe(refused);
  expect((await asked('y\n', { json: true })).outcome).toBe(refused);
});
