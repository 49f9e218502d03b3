/** The command line of 0.2, in this one's words; and that no message tells what may be a token. */
import { CommanderError } from 'commander';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shapesOf, translateLegacy } from '../../../src/cli/legacy-arguments.ts';
import { messageOf, UsageError } from '../../../src/common/errors.ts';
import { type Asked, silentProgram } from '../../support/program.ts';

const shapes = shapesOf(silentProgram());
const modern = (...words: readonly string[]) => translateLegacy(words, shapes);

/** What the program does with these words, and all that it says of them. */
async function ask(words: readonly string[]): Promise<{ asked: Asked[]; output: string; code: number }> {
  const asked: Asked[] = [];
  const printed: string[] = [];
  const program = silentProgram(
    (one) => asked.push(one),
    (text) => printed.push(text),
  );
  try {
    await program.parseAsync(translateLegacy(words, shapes), { from: 'user' });
    return { asked, output: printed.join(''), code: 0 };
  } catch (error) {
    if (error instanceof CommanderError)
      return { asked, output: printed.join(''), code: error.exitCode === 0 ? 0 : 2 };
    return {
      asked,
      output: `${printed.join('')}${messageOf(error)}`,
      code: error instanceof UsageError ? 2 : 1,
    };
  }
}

describe('what 0.2 took', () => {
  test.each<[readonly string[], Partial<Asked>]>([
    [['-consul=c:1', '-kv-path=p'], { command: 'run', flags: { consul: 'c:1', kvPath: 'p' } }],
    [['-consul', 'c:1', '-kv-path', 'p'], { command: 'run', flags: { consul: 'c:1', kvPath: 'p' } }],
    [['-c=c:1', '-k=p', '-t=s'], { command: 'run', flags: { consul: 'c:1', kvPath: 'p', consulToken: 's' } }],
    [['--c', 'c:1', '--k=p'], { command: 'run', flags: { consul: 'c:1', kvPath: 'p' } }],
    [['-consul-token=a=b'], { command: 'run', flags: { consulToken: 'a=b' } }],
    [['-consul-token', '-x'], { command: 'run', flags: { consulToken: '-x' } }],
    [['-t', '-kv-path=p'], { command: 'run', flags: { consulToken: '-kv-path=p' } }],
    [['-consul-token='], { command: 'run', flags: { consulToken: '' } }],
    [['-template=/x.hbs', '-image', 'i'], { command: 'run', flags: { template: '/x.hbs', image: 'i' } }],
    [['-f=denylist', '-i=i'], { command: 'run', flags: { template: 'denylist', image: 'i' } }],
    // The line in its own /etc/sysconfig/egresstrator.
    [
      ['-ssl', '-ssl-ca-cert=/etc/pki/certs/CA.crt'],
      { command: 'run', flags: { ssl: true, sslCaCert: '/etc/pki/certs/CA.crt' } },
    ],
    ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word): [readonly string[], Partial<Asked>] => [
      [`--ssl=${word}`],
      { command: 'run', flags: { ssl: true } },
    ]),
    ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word): [readonly string[], Partial<Asked>] => [
      [`-ssl=${word}`],
      { command: 'run', flags: { ssl: false } },
    ]),
    [['set', '-a'], { command: 'set', flags: { all: true } }],
    [['set', '-all', '-r', 'k1,k2'], { command: 'set', flags: { all: true, rules: 'k1,k2' } }],
    [['set', '--a=true', '--r=k'], { command: 'set', flags: { all: true, rules: 'k' } }],
    [['set', '-r', 'k', 'web'], { command: 'set', container: 'web', flags: { rules: 'k' } }],
    [['set', 'web', '-rules=k'], { command: 'set', container: 'web', flags: { rules: 'k' } }],
    [['set', '-all=false', 'web'], { command: 'set', container: 'web', flags: {} }],
    [['-c=c:1', 'clear', '-a'], { command: 'clear', flags: { consul: 'c:1', all: true } }],
  ])('%j', async (words, expected) => {
    const { asked, output } = await ask(words);
    expect(output).toBe('');
    expect(asked).toEqual([{ container: undefined, ...expected }].map(({ ...one }) => one));
  });

  test.each(['-h', '-help', '--help', '--h', '-help=true', '-v', '-version', '--version', '--v'])(
    '%s',
    async (word) => {
      expect(await ask([word])).toMatchObject({ asked: [], code: 0 });
    },
  );
});

describe('a word of one dash that is none of them is an error that names the right one', () => {
  test.each([
    [['-kvpath=P'], '"-k…" is not an option; did you mean --kv-path?'],
    [['-kv'], '"-k…" is not an option; did you mean --kv-path?'],
    [['-kP'], '"-k…" is not an option; -k takes its value as a separate argument: -k <path>'],
    [['-tSECRET'], '"-t…" is not an option; -t takes its value as a separate argument: -t <token>'],
    [['-consul-tokne=SECRET'], '"-c…" is not an option; did you mean --consul-token?'],
    [['-consul-token-file=f'], '--consul-token-file takes two dashes'],
    [['status', '-json'], '--json takes two dashes'],
    [['-hv'], '"-h…" is not an option; write each option as a separate argument'],
    [['-zz=SECRET'], '"-z…" is not an option; see egresstrator --help'],
    [['-ssl=maybe'], '--ssl: expected true or false after "="'],
    [['status', '--json=yes'], '--json takes no value'],
  ])('%j', (words, sentence) => {
    expect(() => modern(...words)).toThrow(new UsageError(sentence));
  });
});

/** No letter of it is in any word of ours, so that any part of it that is printed is found. */
const TOKEN = '7QX9-QX7Z-99QZ';

test.each([
  [['-t', TOKEN]],
  [[`-t=${TOKEN}`]],
  [[`-t${TOKEN}`]],
  [[`--t${TOKEN}`.slice(0, 3), TOKEN, TOKEN]],
  [['-consul-token', TOKEN, 'nonsense']],
  [[`-consul-tokn=${TOKEN}`]],
  [['-consul-tokn', TOKEN]],
  [[`-token=${TOKEN}`]],
  [['-token', TOKEN]],
  [[`--token=${TOKEN}`]],
  [['--token', TOKEN]],
  [[`--consul-tokne=${TOKEN}`]],
  [[`--consul-tokne=a'\n(Did you mean ${TOKEN})`]],
  [['--consul-tokne', TOKEN, 'set', 'web']],
  [['set', 'web', `--tokne=${TOKEN}`]],
  [['set', 'web', `--file=${TOKEN}`]],
  [[`--rules=${TOKEN}`]],
  [[`--=${TOKEN}`, 'set']],
  [[`-=${TOKEN}`]],
  [['status', 'web', TOKEN]],
  [['explain', 'web', 'x', 'y', TOKEN]],
  [[TOKEN]],
  [[TOKEN, 'set', 'web']],
  [['-t', '', TOKEN]],
  [['--ssl', TOKEN]],
  [[`--ssl=${TOKEN}`]],
  [[`--json=${TOKEN}`]],
  [['gate', TOKEN]],
  [['gate', 'install', TOKEN]],
  [['gate', 'install', `--force=${TOKEN}`]],
  [['help', TOKEN]],
  [['completion', TOKEN]],
  [['completion']],
  [['-t']],
  [['set', '-r']],
])('what may be a token is not repeated: %j', async (words) => {
  const { output } = await ask(words);
  expect(output).not.toContain(TOKEN);
  expect(output).not.toContain(TOKEN.slice(0, 4));
});

const long = shapes.filter(({ isOptional }) => !isOptional);
const value = fc.oneof(fc.constantFrom('-x', '--', '-kv-path=p', '', '-tS', 'a=b'), fc.string());
const operand = fc.string().filter((word) => !word.startsWith('-') || word === '-');
const written: fc.Arbitrary<readonly string[]> = fc.oneof(
  fc
    .constantFrom(...long)
    .chain(({ long: name, value: takes }) =>
      takes === undefined
        ? fc.constant<readonly string[]>([name])
        : value.chain((text) => fc.constantFrom<readonly string[]>([name, text], [`${name}=${text}`])),
    ),
  fc
    .constantFrom(...long.flatMap(({ short, value: takes }) => (short && takes ? [short] : [])))
    .chain((name) => value.map((text) => [name, text])),
  fc.constantFrom<readonly string[]>(['-h'], ['-v'], ['-a'], ['--publish'], ['--publish=p']),
  operand.map((word) => [word]),
);

test('what is written as help says comes out as it went in', () => {
  fc.assert(
    fc.property(fc.array(written), fc.array(fc.string()), (groups, rest) => {
      const words = [...groups.flat(), '--', ...rest];
      expect(modern(...words)).toEqual(words);
    }),
  );
});

test('words of one dash are never read as a short option with a value glued to it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 2 }), (text) => {
      fc.pre(!text.startsWith('-'));
      try {
        for (const word of modern(`-${text}`)) expect(word).toMatch(/^(--|-.$)/u);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
      }
    }),
  );
});

test('an option is a flag in all commands or takes a value in all, so that a word can be read before its command', () => {
  const takes = new Map<string, boolean>();
  for (const { long: name, value: text } of shapes) {
    expect(takes.get(name) ?? text !== undefined, name).toBe(text !== undefined);
    takes.set(name, text !== undefined);
  }
});
