/**
 * The commands that answer questions: their words, options and help.
 */
import type { Command } from 'commander';
import type { Flags } from '../config/config.ts';

/** What the commands do; `flags` are those of the command and of the program together. */
export interface DiagnosticsActions {
  status(container: string | undefined, flags: Flags): Promise<void>;
  denied(container: string | undefined, flags: Flags): Promise<void>;
  explain(
    wanted: { readonly container: string; readonly target: string; readonly traffic: string | undefined },
    flags: Flags,
  ): Promise<void>;
  suggest(container: string | undefined, flags: Flags): Promise<void>;
  lint(flags: Flags): Promise<void>;
  diff(key: string, flags: Flags): Promise<void>;
  keys(flags: Flags): Promise<void>;
  doctor(flags: Flags): Promise<void>;
}

const CONTAINER = 'name, id, or the beginning of the id';

export function addDiagnostics(program: Command, actions: DiagnosticsActions): void {
  addStatus(program, actions);
  addDenied(program, actions);
  addExplain(program, actions);
  addSuggest(program, actions);
  addLint(program, actions);
  addDiff(program, actions);
  addKeys(program, actions);
  addDoctor(program, actions);
}

function addKeys(program: Command, actions: DiagnosticsActions): void {
  program
    .command('keys')
    .description('all ACL keys, what they allow, and who holds them')
    .option('--json', 'print JSON')
    .action((_options, command: Command) => actions.keys(command.optsWithGlobals()));
}

function addDoctor(program: Command, actions: DiagnosticsActions): void {
  program
    .command('doctor')
    .description('whether this host has all that egresstrator needs, in one look')
    .option('--root <path>', "where the host's file system is mounted, in a container", '/')
    .option('--lib-dir <path>', 'where the gate is on the host (default: its own default)')
    .option('--json', 'print JSON')
    .action((_options, command: Command) => actions.doctor(command.optsWithGlobals()));
}

function addStatus(program: Command, actions: DiagnosticsActions): void {
  program
    .command('status')
    .description('what holds on this host: workloads, keys, states, sources')
    .argument('[container]', CONTAINER)
    .option('--cluster', 'all hosts that publish their status in Consul (see --publish)')
    .option('--json', 'print JSON')
    .action((container: string | undefined, _options, command: Command) =>
      actions.status(container, command.optsWithGlobals()),
    );
}

function addDenied(program: Command, actions: DiagnosticsActions): void {
  program
    .command('denied')
    .description('what containers tried to reach and may not, in the last hour')
    .argument('[container]', CONTAINER)
    .option('--follow', 'go on, and print each destination when it is refused')
    .option('--json', 'print JSON')
    .action((container: string | undefined, _options, command: Command) =>
      actions.denied(container, command.optsWithGlobals()),
    );
}

function addExplain(program: Command, actions: DiagnosticsActions): void {
  program
    .command('explain')
    .description('whether a container may reach something, why, and what would change it')
    .argument('<container>', CONTAINER)
    .argument('<target>', 'an address or a service')
    .argument('[traffic]', 'protocol and port, as tcp/443, udp/53, icmp/8')
    .option('--exit-code', 'exit code 0 if it may be reached, 1 if not, 2 if that is not known')
    .option('--json', 'print JSON')
    .addHelpText('after', EXPLAIN_EXAMPLES)
    .action((container: string, target: string, traffic: string | undefined, _options, command: Command) =>
      actions.explain({ container, target, traffic }, command.optsWithGlobals()),
    );
}

function addSuggest(program: Command, actions: DiagnosticsActions): void {
  program
    .command('suggest')
    .description('rules that would allow what was refused, ready to be put into Consul')
    .argument('[container]', CONTAINER)
    .option('--key <key>', 'print the whole new text of this ACL key: what it holds, and the suggestion')
    .option('--json', 'print JSON')
    .addHelpText('after', SUGGEST_EXAMPLES)
    .action((container: string | undefined, _options, command: Command) =>
      actions.suggest(container, command.optsWithGlobals()),
    );
}

function addLint(program: Command, actions: DiagnosticsActions): void {
  program
    .command('lint')
    .description('every problem of the rules in Consul, or in a file')
    .option('--file <path>', 'check this file alone; "-" for standard input')
    .option('--key <key>', 'only this ACL key')
    .option('--strict', 'exit code 1 for any finding, not only for errors')
    .option('--format <format>', 'text, github (annotations of a workflow) or sarif (2.1.0)', 'text')
    .option('--json', 'print JSON')
    .action((_options, command: Command) => actions.lint(command.optsWithGlobals()));
}

function addDiff(program: Command, actions: DiagnosticsActions): void {
  program
    .command('diff')
    .description('who would gain or lose what by a new text of a key; puts nothing')
    .argument('<key>', 'ACL key')
    .option('--file <path>', 'the new text; "-" for standard input')
    .option('--json', 'print JSON')
    .action((key: string, _options, command: Command) => actions.diff(key, command.optsWithGlobals()));
}

const EXPLAIN_EXAMPLES = `
Examples:
  $ egresstrator explain web 10.0.0.5 tcp/5432
  $ egresstrator explain web production.postgresql
  $ egresstrator explain web 10.0.0.5              all that it may reach there`;

const SUGGEST_EXAMPLES = `
Examples:
  $ egresstrator suggest web
  $ egresstrator suggest web --key app > rules    what app holds and lacks
  $ egresstrator diff app --file rules            who would gain what
  $ consul kv put egress/acl/app @rules`;
