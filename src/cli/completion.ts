/**
 * Shell completion, generated from the program: commands, options, and names of running containers where a command
 * takes one.
 */
import type { Command } from 'commander';
import { UsageError } from '../common/errors.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

interface Word {
  readonly name: string;
  readonly about: string;
}

interface CommandWords extends Word {
  readonly options: readonly Word[];
  readonly takesContainer: boolean;
  readonly commands: readonly Word[];
}

export function addCompletion(program: Command, print: (text: string) => void): void {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .argument('<shell>', SHELLS.join(', '))
    .addHelpText('after', EXAMPLES)
    .action((word: string) => {
      const shell = SHELLS.find((known) => known === word);
      if (shell === undefined) throw new UsageError(`completion: expected one of ${SHELLS.join(', ')}`);
      print(completionScript(shell, program));
    });
}

export const completionScript = (shell: Shell, program: Command): string =>
  SCRIPTS[shell](program.commands.map(wordsOf), optionsOf(program));

const SCRIPTS: Readonly<
  Record<Shell, (commands: readonly CommandWords[], options: readonly Word[]) => string>
> = {
  bash,
  // zsh runs the bash script after this line.
  zsh: (commands, options) => `autoload -U +X bashcompinit && bashcompinit\n${bash(commands, options)}`,
  fish,
};

const wordsOf = (command: Command): CommandWords => ({
  name: command.name(),
  about: command.description(),
  options: withInnerOptions(command),
  takesContainer: [command, ...command.commands].some((one) =>
    one.registeredArguments.some((argument) => argument.name() === 'container'),
  ),
  commands: command.commands.map((inner) => ({ name: inner.name(), about: inner.description() })),
});

/** Also those of its own commands, such as `ports open --from`; each once. */
const withInnerOptions = (command: Command): readonly Word[] => [
  ...new Map(
    [command, ...command.commands].flatMap(optionsOf).map((option) => [option.name, option] as const),
  ).values(),
];

const optionsOf = (command: Command): readonly Word[] =>
  command.options.flatMap(({ long, description }) =>
    typeof long === 'string' ? [{ name: long, about: description }] : [],
  );

/** Only valid names: bash expands the words of a completion. */
const RUNNING = "docker ps --format '{{.Names}}' 2>/dev/null | LC_ALL=C grep -x '[A-Za-z0-9][A-Za-z0-9_.-]*'";

function bash(commands: readonly CommandWords[], options: readonly Word[]): string {
  const cases = commands.map((command) => {
    const words = [...command.commands, ...command.options].map(({ name }) => name).join(' ');
    const containers = command.takesContainer ? ` $(${RUNNING})` : '';
    return `    ${command.name}) words="${words}${containers}" ;;`;
  });
  const first = [...commands, ...options].map(({ name }) => name).join(' ');
  return `_egresstrator() {
  local word words command=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in ${commands.map(({ name }) => name).join('|')}) command=$word; break ;; esac
  done
  case $command in
${cases.join('\n')}
    *) words="${first}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _egresstrator egresstrator
`;
}

function fish(commands: readonly CommandWords[], options: readonly Word[]): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const line = (condition: string, what: string, about = '') =>
    `complete -c egresstrator -n ${quote(condition)} ${what}${about === '' ? '' : ` -d ${quote(about)}`}`;
  const bare = '__fish_use_subcommand';
  return [
    ...options.map(({ name, about }) => line(bare, `-l ${name.slice(2)}`, about)),
    ...commands.map(({ name, about }) => line(bare, `-f -a ${name}`, about)),
    ...commands.flatMap((command) => {
      const inside = `__fish_seen_subcommand_from ${command.name}`;
      return [
        ...command.commands.map(({ name, about }) => line(inside, `-f -a ${name}`, about)),
        ...command.options.map(({ name, about }) => line(inside, `-l ${name.slice(2)}`, about)),
        ...(command.takesContainer ? [line(inside, `-f -a ${quote(`(${RUNNING})`)}`)] : []),
      ];
    }),
    '',
  ].join('\n');
}

const EXAMPLES = `
Examples:
  $ source <(egresstrator completion bash)     in ~/.bashrc
  $ source <(egresstrator completion zsh)      in ~/.zshrc
  $ egresstrator completion fish | source      in ~/.config/fish/config.fish`;
