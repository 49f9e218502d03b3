/**
 * What others wrote reaches the operator as text alone: every command is run on a controller, a Consul and an
 * Engine whose every word steers terminals, forges lines and hides itself.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HostileFixture, openHostileFixture } from '../../support/hostile-fixture.ts';
import { hostileText } from '../../support/hostile-text.ts';
import { silentProgram } from '../../support/program.ts';

let fixture: HostileFixture;

beforeAll(async () => {
  fixture = await openHostileFixture();
});
afterAll(() => fixture.close());

/** Those that end with the controller only, or need none of these. */
const general = (folder: string, word: string): readonly (readonly string[])[] => [
  [`${word}-command`],
  [`--${word}`],
  ['status', `--${word}`],
  ['status', '--concurrency', word, '--mode', word],
  ['status', '--socket', `${folder}/${word}`],
  ['denied', '--socket', `${folder}/${word}`],
  ['lint', '--socket', `${folder}/${word}`],
  ['--listen', word],
];

const OUR_COLOURS = new RegExp(`${String.fromCharCode(27)}\\[(?:1|2|22|31|32|33|39)m`, 'g');

/** What a terminal would obey or hide, and lines that others began. */
function strayIn(output: string): readonly string[] {
  const text = output.replaceAll(OUR_COLOURS, '');
  const controls = [...text.matchAll(/[\p{C}\p{Zl}\p{Zp}]/gu)]
    .map(([one]) => one)
    .filter((one) => one !== '\n');
  return [...controls, ...text.split('\n').filter((line) => /^(?:egresstrator: )?EVIL/.test(line))];
}

test('each command there is is tried', () => {
  expect(Object.keys(fixture.calls()).sort()).toEqual(
    silentProgram()
      .commands.map((one) => one.name())
      .sort(),
  );
});

const allCalls = (word: string): readonly (readonly string[])[] => [
  ...Object.entries(fixture.calls()).flatMap(([name, calls]) => calls.map((args) => [name, ...args])),
  ...general(fixture.folder, word),
];

async function tryAll(text: string, follow: boolean): Promise<void> {
  fixture.setText(text);
  for (const args of allCalls(text)) {
    if (args.includes('--follow') && !follow) continue;
    const { all } = await fixture.run(args);
    expect({ args, all, stray: strayIn(all) }).toMatchObject({ stray: [] });
    expect({ args, all }).not.toMatchObject({ all: expect.stringContaining('defect') });
  }
}

/** What follows a comma is another key, with whose name a line may well begin. */
const oneKey = hostileText.map((text) => text.replaceAll(',', ' '));

test('nothing that others wrote steers a terminal, forges a line or hides', async () => {
  const worst =
    'x\u001b[2J\u001b]0;title\u0007\nEVIL\r\nEVIL\u2028EVIL\u0085EVIL\u009b31m\u202ebidi\u200b\ufeff\u007f\ud800\u{e0041}';
  await tryAll(worst, true);
  await fc.assert(
    fc.asyncProperty(oneKey, (text) => tryAll(text, false)),
    { numRuns: 12 },
  );
}, 120_000);

test('with --json the same texts come whole, and nothing else than text either', async () => {
  await fc.assert(
    fc.asyncProperty(hostileText, async (text) => {
      const word = text.replaceAll(/\p{Cs}/gu, '');
      fixture.setText(word);
      const { stdout } = await fixture.run(['status', '--json'], false);
      expect(strayIn(stdout)).toEqual([]);
      expect(JSON.parse(stdout)).toMatchObject({ unsupported: [{ name: word }] });
      for (const name of ['denied', 'suggest', 'lint', 'set'])
        expect(
          strayIn((await fixture.run([name, ...(name === 'set' ? ['--all'] : []), '--json'], false)).stdout),
        ).toEqual([]);
    }),
    { numRuns: 12 },
  );
}, 60_000);

test('a key that is printed for Consul holds the same rules as before', async () => {
  const word = 'x\u001b';
  fixture.setText(word);
  const { stdout } = await fixture.run(['suggest', '--key', `${word}-other`], false);
  expect(stdout.split('\n').slice(0, 2)).toEqual(['10.0.0.6:tcp/80', ' 10.0.0.9:udp/1-9 # tab']);
});
