/**
 * The commands that answer questions: their arguments, options and help.
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

const CONTAINER = 'name or id, or the beginning of the id';

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
    .description('list ACL keys, their sizes, and the workloads that have them')
    .option('--ingress', 'list ingress keys, which say who may reach a container')
    .option('--json', 'print JSON')
    .addHelpText('after', KEYS_EXAMPLES)
    .action((_options, command: Command) => actions.keys(command.optsWithGlobals()));
}

function addDoctor(program: Command, actions: DiagnosticsActions): void {
  program
    .command('doctor')
    .description('check that this host has everything egresstrator needs')
    .option('--root <path>', "where the host's file system is mounted, in a container", '/')
    .option('--lib-dir <path>', 'where the gate is on the host (default: its own default)')
    .option('--json', 'print JSON')
    .action((_options, command: Command) => actions.doctor(command.optsWithGlobals()));
}

function addStatus(program: Command, actions: DiagnosticsActions): void {
  program
    .command('status')
    .description('show workloads, their keys and states, and the sources')
    .argument('[container]', CONTAINER)
    .option('--cluster', 'show all hosts that publish their status in Consul (see --publish)')
    .option('--json', 'print JSON')
    .action((container: string | undefined, _options, command: Command) =>
      actions.status(container, command.optsWithGlobals()),
    );
}

function addDenied(program: Command, actions: DiagnosticsActions): void {
  program
    .command('denied')
    .description('list denied connections of the last hour')
    .argument('[container]', CONTAINER)
    .option('--in', 'calls to containers that their ingress keys or the ports guard (see --ports) denied')
    .option('--follow', 'keep running, and print each destination when it is denied')
    .option('--json', 'print JSON')
    .addHelpText('after', DENIED_EXAMPLES)
    .action((container: string | undefined, _options, command: Command) =>
      actions.denied(container, command.optsWithGlobals()),
    );
}

function addExplain(program: Command, actions: DiagnosticsActions): void {
  program
    .command('explain')
    .description('show whether a container can reach a destination, why, and what would change it')
    .argument('<container>', CONTAINER)
    .argument('<target>', 'an address, a service, or a name of DNS')
    .argument('[traffic]', 'protocol and port, such as tcp/443, udp/53, icmp/8')
    .option('--in', 'the other way: whether <target> reaches a port of the container')
    .option('--exit-code', 'exit with 0 if it can be reached, 1 if not, 2 if that is not known')
    .option('--json', 'print JSON')
    .addHelpText('after', EXPLAIN_EXAMPLES)
    .action((container: string, target: string, traffic: string | undefined, _options, command: Command) =>
      actions.explain({ container, target, traffic }, command.optsWithGlobals()),
    );
}

function addSuggest(program: Command, actions: DiagnosticsActions): void {
  program
    .command('suggest')
    .description('print rules that would allow the denied connections')
    .argument('[container]', CONTAINER)
    .option('--key <key>', 'print the whole new text of this key, with the suggested rules')
    .option('--in', 'lines of ingress keys for callers that were denied')
    .option('--json', 'print JSON')
    .addHelpText('after', SUGGEST_EXAMPLES)
    .action((container: string | undefined, _options, command: Command) =>
      actions.suggest(container, command.optsWithGlobals()),
    );
}

function addLint(program: Command, actions: DiagnosticsActions): void {
  program
    .command('lint')
    .description('check the rules in Consul, or in a file')
    .option('--file <path>', 'check only this file; "-" for standard input')
    .option('--key <key>', 'check only this key')
    .option('--ingress', 'check ingress keys, which say who may reach a container')
    .option('--strict', 'exit with 1 for any finding, not only for errors')
    .option('--format <format>', 'text, github (workflow annotations) or sarif (2.1.0)', 'text')
    .option('--json', 'print JSON')
    .addHelpText('after', LINT_EXAMPLES)
    .action((_options, command: Command) => actions.lint(command.optsWithGlobals()));
}

function addDiff(program: Command, actions: DiagnosticsActions): void {
  program
    .command('diff')
    .description('preview the access changes of an edited key')
    .argument('<key>', 'ACL key; with --ingress, ingress key')
    .option('--file <path>', 'the new text; "-" for standard input')
    .option('--ingress', 'an ingress key, which says who may reach a container')
    .option('--json', 'print JSON')
    .addHelpText('after', DIFF_EXAMPLES)
    .action((key: string, _options, command: Command) => actions.diff(key, command.optsWithGlobals()));
}

const EXPLAIN_EXAMPLES = `
Examples:
  $ egresstrator explain web 10.0.0.5 tcp/5432
  $ egresstrator explain web production.postgresql
  $ egresstrator explain web api.example.com:443   a name of DNS
  $ egresstrator explain web 10.0.0.5              all that it reaches there
  $ egresstrator explain --in web 198.51.100.7 tcp/80
  $ egresstrator explain --in web 198.51.100.7 icmp/8
  $ egresstrator explain --in web prometheus tcp/9100`;

const KEYS_EXAMPLES = `
Examples:
  $ egresstrator keys
  $ egresstrator keys --ingress     ingress keys, and who names each`;

const DENIED_EXAMPLES = `
Examples:
  $ egresstrator denied web         what web could not reach
  $ egresstrator denied --in web    who could not reach web`;

const LINT_EXAMPLES = `
Examples:
  $ egresstrator lint --file rules --format github   a file, in a workflow
  $ egresstrator lint --ingress                      the ingress keys
  $ egresstrator lint --ingress --file rules         a file of an ingress key`;

const DIFF_EXAMPLES = `
Examples:
  $ egresstrator diff app --file rules
  $ egresstrator diff --ingress web --file rules     who gains or loses access`;

const SUGGEST_EXAMPLES = `
Examples:
  $ egresstrator suggest web
  $ egresstrator suggest web --key app > rules    the new text of app
  $ egresstrator diff app --file rules            preview the access changes
  $ consul kv put egress/acl/app @rules
  $ egresstrator suggest --in web             lines that let callers of web in
  $ egresstrator suggest --in web --key app   the new text of the ingress key`;
