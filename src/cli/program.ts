/**
 * The command line: commands, options and help. What a command does is in `commands/`.
 */
import { Command, Option } from 'commander';
import { UsageError } from '../common/errors.ts';
import { nearest } from '../common/nearest.ts';
import { printable } from '../common/text.ts';
import type { Flags } from '../config/config.ts';
import { ALL_OPTIONS, type OptionSpec } from '../config/options.ts';
import { addDiagnostics, type DiagnosticsActions } from './diagnostics-program.ts';
import { addHostCommands, type HostActions } from './host-program.ts';
import { addNetworks, type NetworksActions } from './networks-program.ts';
import { addPage, type PageActions } from './page-program.ts';

/** What the commands do; `flags` are those of the command and of the program together. */
export interface Actions extends DiagnosticsActions, HostActions, NetworksActions, PageActions {
  run(flags: Flags): Promise<void>;
  set(container: string | undefined, flags: Flags): Promise<void>;
  clear(container: string | undefined, flags: Flags): Promise<void>;
  render(container: string | undefined, flags: Flags): Promise<void>;
  health(flags: Flags): Promise<void>;
  uninstall(flags: Flags): Promise<void>;
}

export function createProgram(version: string, actions: Actions): Command {
  const program = new Command('egresstrator')
    .description('Live egress firewalls for Docker containers, from rules and services in Consul.')
    .version(version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(see egresstrator --help)')
    .configureOutput({ outputError: (text, write) => write(usageLine(text)) })
    // With all arguments, one command would leave no room for the descriptions of the others.
    // Beside the longest option fewer than 40 columns remain, below which commander does not wrap.
    .configureHelp({ subcommandTerm: (command) => command.name(), minWidthToWrap: 30 })
    .enablePositionalOptions(false)
    .addHelpText('after', EXAMPLES);
  addOptions(program, ALL_OPTIONS);
  program.addOption(new Option('--no-ssl', 'no TLS with Consul, even if CONSUL_HTTP_SSL is set'));
  program.allowExcessArguments().action((_options, command: Command) => {
    const [word] = command.args;
    if (word === undefined) return actions.run(command.optsWithGlobals());
    throw new UsageError(unknownCommand(word, program));
  });
  addSet(program, actions);
  addClear(program, actions);
  addRender(program, actions);
  addHealth(program, actions);
  addUninstall(program, actions);
  addDiagnostics(program, actions);
  addHostCommands(program, actions);
  addNetworks(program, actions);
  addPage(program, actions);
  // The program itself accepts any argument, to suggest a command; its commands would inherit that.
  for (const command of program.commands) command.allowExcessArguments(false);
  return program;
}

function addSet(program: Command, actions: Actions): void {
  program
    .command('set')
    .description('load egress rules in a running container')
    .argument('[container]', 'name or id, or the beginning of the id')
    .option('-a, --all', 'all running containers with EGRESSTRATOR_ENABLE=1')
    .option('-r, --rules <keys>', 'use these ACL keys instead of the container’s own, as key1,key2')
    .option('--force', 'with --rules: accept keys that are not in Consul yet')
    .option('--json', 'print JSON')
    .addHelpText('after', SET_EXAMPLES)
    .action((container: string | undefined, _options, command: Command) =>
      actions.set(container, command.optsWithGlobals()),
    );
}

function addClear(program: Command, actions: Actions): void {
  program
    .command('clear')
    .description('remove the egress rules of a running container, until it stops')
    .argument('[container]', 'name or id, or the beginning of the id')
    .option('-a, --all', 'all running containers with EGRESSTRATOR_ENABLE=1')
    .option('-y, --yes', 'do not ask before --all')
    .option('--json', 'print JSON')
    .addHelpText('after', CLEAR_EXAMPLES)
    .action((container: string | undefined, _options, command: Command) =>
      actions.clear(container, command.optsWithGlobals()),
    );
}

function addRender(program: Command, actions: Actions): void {
  program
    .command('render')
    .description('print the text that would be loaded, without loading it')
    .argument('[container]', 'name or id, or the beginning of the id')
    .option('--acl <keys>', 'render for these ACL keys, as key1,key2, without a container')
    .option('--json', 'print JSON')
    .addHelpText('after', RENDER_EXAMPLES)
    .action((container: string | undefined, _options, command: Command) =>
      actions.render(container, command.optsWithGlobals()),
    );
}

function addHealth(program: Command, actions: Actions): void {
  program
    .command('health')
    .description('exit with 0 if the controller is healthy')
    .option('--json', 'print JSON')
    .action((_options, command: Command) => actions.health(command.optsWithGlobals()));
}

function addUninstall(program: Command, actions: Actions): void {
  program
    .command('uninstall')
    .description('remove egresstrator from this host; lists first what would be removed')
    .option('-y, --yes', 'do not ask')
    .option(
      '--keys',
      'also remove the ACL keys and ingress keys, which all hosts share, and the data of this host in Consul',
    )
    .option('--force', 'even if containers use the gate; these cannot start again')
    .option('--root <path>', "where the host's file system is mounted, in a container", '/')
    .option('--lib-dir <path>', 'where the gate is on the host (default: its own default)')
    .option('--config <path>', "the Engine's daemon.json (default: the file that dockerd reads)")
    .option('--json', 'print JSON; never asks')
    .addHelpText('after', UNINSTALL_EXAMPLES)
    .action((_options, command: Command) => actions.uninstall(command.optsWithGlobals()));
}

function addOptions(command: Command, specs: Readonly<Record<string, OptionSpec>>): void {
  for (const [name, { flags, variable, fallback, help }] of Object.entries(specs)) {
    const notes = [
      ...(fallback === undefined ? [] : [`default: "${fallback}"`]),
      ...(variable === undefined ? [] : [`$${variable}`]),
    ];
    const option = new Option(flags, notes.length === 0 ? help : `${help} (${notes.join(', ')})`);
    option.attributeName = () => name;
    command.addOption(option);
  }
}

/** The argument is repeated only if it is close to a command: it could also be a token whose option is missing. */
function unknownCommand(word: string, program: Command): string {
  const meant = nearest(
    word,
    program.commands.map((command) => command.name()),
  );
  return meant === undefined
    ? 'the first argument is not a command; see egresstrator --help'
    : `there is no command "${word}"; did you mean ${meant}?`;
}

/**
 * Removes arguments from commander's messages, because an unknown command or the value of an unknown option may be a
 * token. Its suggestion stays on the second line.
 */
function usageLine(text: string): string {
  const [, all = text, meant = ''] = /^(.*?)(\n\(Did you mean [^\n]*\))?\n$/s.exec(text) ?? [];
  const cleaned = all
    .replace(/^(error: unknown option '[^=']*)=.*'/s, "$1'")
    .replace(/(too many arguments for '[^']*'\. Expected \d+ arguments? but got \d+): .*/s, '$1')
    .replace(/^error: unknown command .*/s, 'error: the command does not take this argument');
  return `${printable(cleaned.replace(/^error: /, 'egresstrator: '), 1_000)}${meant}\n`;
}

const EXAMPLES = `
Containers name their keys in environment variables:
  $ docker run -e EGRESSTRATOR_ENABLE=1 -e EGRESSTRATOR_ACL=db,payments …
Consul defines what the keys allow:
  $ consul kv put egress/acl/db 10.50.128.0/24:tcp/5432

Examples:
  $ egresstrator                           run the controller
  $ egresstrator -c consul.example:8500 -k egress/acl/
  $ egresstrator set web --rules db        load rules by hand
  $ egresstrator render --acl db           print what would be loaded

Exit codes: 0 success, 1 failure, 2 wrong usage.`;

const SET_EXAMPLES = `
Examples:
  $ egresstrator set web                   the container's own keys
  $ egresstrator set web --rules db,cache  these keys, until web stops
  $ egresstrator set --all`;

const CLEAR_EXAMPLES = `
Examples:
  $ egresstrator clear web
  $ egresstrator clear --all               asks first, unless --yes is given`;

const UNINSTALL_EXAMPLES = `
Examples:
  $ egresstrator uninstall                 lists what would be removed, and asks
  $ egresstrator uninstall --yes --keys    on the last host of a cluster

Exit codes: 0 everything removed, 1 something is left, 2 --yes is missing.`;

const RENDER_EXAMPLES = `
Examples:
  $ egresstrator render web
  $ egresstrator render --acl db,payments --template iptables`;
