/**
 * Translates the command line of egresstrator 0.2: `-kv-path=P`, `-kv-path P`,
 * `-k=P`, `--k P`, `--ssl=true`. 0.2 used Go's flag library, which accepts one dash or two.
 *
 * Any other argument with one dash and several letters is an error: commander would read `-kv-paht=P` as
 * `-k v-paht=P`, and find no keys. For the same reason an option takes no value without a space or `=` (`-kP`); 0.2
 * did not accept that either. No message repeats the argument, because it may contain a token (`-tSECRET`).
 *
 * Pure. Arguments with two dashes do not change, except the flags of 0.2 with a value.
 */
import type { Command, Option } from 'commander';
import { UsageError } from '../common/errors.ts';
import { nearest } from '../common/nearest.ts';

/** An option of any command. */
export interface OptionShape {
  readonly short: string | undefined;
  readonly long: string;
  /** As help names the value; undefined for a flag. */
  readonly value: string | undefined;
  /** Whether the value may be left out. */
  readonly isOptional: boolean;
}

/** The options that 0.2 had, by their long names. */
const LEGACY: ReadonlySet<string> = new Set([
  ...['--consul', '--consul-token', '--kv-path', '--template', '--image', '--ssl', '--ssl-ca-cert'],
  ...['--help', '--version', '--all', '--rules'],
]);

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** The options of a program and of all its commands. */
export const shapesOf = (program: Command): readonly OptionShape[] => [
  { short: '-h', long: '--help', value: undefined, isOptional: false },
  ...optionsOf(program).flatMap(shapeOf),
];

const optionsOf = (command: Command): readonly Option[] => [
  ...command.options,
  ...command.commands.flatMap(optionsOf),
];

const shapeOf = ({ short, long, flags, required, optional }: Option): readonly OptionShape[] =>
  typeof long === 'string'
    ? [
        {
          ...{ short: short ?? undefined, long, isOptional: optional },
          value: required || optional ? (/[<[].*$/.exec(flags)?.[0] ?? '<value>') : undefined,
        },
      ]
    : [];

/** Throws a `UsageError` that names the intended option. */
export function translateLegacy(words: readonly string[], shapes: readonly OptionShape[]): readonly string[] {
  const translated: string[] = [];
  let awaitsValue = false;
  for (const [index, word] of words.entries()) {
    // Always a value, even if it looks like an option: `-t -x` gives the token "-x".
    const read: Read = awaitsValue ? asIs(word) : readWord(word, shapes);
    if (word === '--' && !awaitsValue) return [...translated, ...words.slice(index)];
    translated.push(...read.words);
    awaitsValue = read.awaitsValue;
  }
  return translated;
}

interface Read {
  readonly words: readonly string[];
  readonly awaitsValue: boolean;
}

const asIs = (word: string): Read => ({ words: [word], awaitsValue: false });

function readWord(word: string, shapes: readonly OptionShape[]): Read {
  if (!/^-./.test(word)) return asIs(word);
  const [, name = '', assigned] = /^([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  if (name === '--') return asIs(word);
  const shape = shapeNamed(name, shapes);
  if (shape !== undefined) return readOption(name, shape, assigned);
  // For two dashes or one letter, commander reports the unknown option and suggests one.
  if (name.startsWith('--') || word.length === 2) return asIs(name);
  throw new UsageError(meaningOf(name, shapes));
}

/** Finds an option by `--name`, by `-k`, and in the forms of 0.2 by `-name` and `--k`. */
function shapeNamed(name: string, shapes: readonly OptionShape[]): OptionShape | undefined {
  const legacy = name.startsWith('--') ? name.slice(1) : `-${name}`;
  return (
    shapes.find(({ long, short }) => name === long || name === short) ??
    shapes.find(({ long, short }) => LEGACY.has(long) && (legacy === long || legacy === short))
  );
}

function readOption(name: string, { short, long, value, isOptional }: OptionShape, assigned?: string): Read {
  const translated = name === short ? name : long;
  if (assigned === undefined) return { words: [translated], awaitsValue: value !== undefined && !isOptional };
  if (value !== undefined) return asIs(`${long}=${assigned}`);
  if (!LEGACY.has(long)) throw new UsageError(`${long} takes no value`);
  if (TRUE.has(assigned)) return asIs(translated);
  if (FALSE.has(assigned)) return { words: long === '--ssl' ? ['--no-ssl'] : [], awaitsValue: false };
  throw new UsageError(`${long}: expected true or false after "="`);
}

/** The message for an argument with one dash. It repeats only the first letter. */
function meaningOf(name: string, shapes: readonly OptionShape[]): string {
  const unknown = `"${/^-./u.exec(name)?.[0] ?? '-'}…" is not an option`;
  const meant = nearest(`-${name}`, [...new Set(shapes.map(({ long }) => long))]);
  if (meant === `-${name}`) return `${meant} takes two dashes`;
  if (meant !== undefined) return `${unknown}; did you mean ${meant}?`;
  const short = shapes.find((each) => each.short !== undefined && name.startsWith(each.short));
  if (short?.value !== undefined)
    return `${unknown}; ${short.short} takes its value as a separate argument: ${short.short} ${short.value}`;
  if (short !== undefined) return `${unknown}; write each option as a separate argument`;
  return `${unknown}; see egresstrator --help`;
}
