/**
 * The commands about the host's rules: their arguments, options and help.
 */
import type { Command } from 'commander';
import type { Flags } from '../config/config.ts';

/** What the commands do; `flags` are those of the command and of the program together. */
export interface HostActions {
  hostStatus(flags: Flags): Promise<void>;
  hostRender(flags: Flags): Promise<void>;
  hostClear(flags: Flags): Promise<void>;
  hostRestore(flags: Flags): Promise<void>;
  ports(flags: Flags): Promise<void>;
  setPort(wanted: WantedPort, flags: Flags): Promise<void>;
  forwards(flags: Flags): Promise<void>;
  createForwards(container: string, flags: Flags): Promise<void>;
  deleteForwards(container: string, flags: Flags): Promise<void>;
}

export interface WantedPort {
  readonly container: string;
  /** `tcp/80` */
  readonly traffic: string;
  /** `own`: as registered. */
  readonly kind: 'open' | 'close' | 'own';
}

const CONTAINER = 'name or id, or the beginning of the id';

export function addHostCommands(program: Command, actions: HostActions): void {
  addHost(program, actions);
  addPorts(program, actions);
  addForwards(program, actions);
}

function addHost(program: Command, actions: HostActions): void {
  const host = program
    .command('host')
    .description("the host's own rules: guarded ports and forwards (see --ports and --forwards)")
    .addHelpText('after', HOST_EXAMPLES);
  host
    .command('status')
    .description("show the state of the host's rules, and their problems")
    .option('--json', 'print JSON')
    .action((_options, command: Command) => actions.hostStatus(command.optsWithGlobals()));
  host
    .command('render')
    .description('print the text that is loaded on the host, or will be in a moment')
    .option('--json', 'print JSON')
    .action((_options, command: Command) => actions.hostRender(command.optsWithGlobals()));
  host
    .command('clear')
    .description("remove the host's rules, after --ports and --forwards were turned off")
    .option('-y, --yes', 'do not ask')
    .action((_options, command: Command) => actions.hostClear(command.optsWithGlobals()));
  host
    .command('restore')
    .description('load the last rules of the host again, where no controller runs')
    .option('--json', 'print JSON')
    .action((_options, command: Command) => actions.hostRestore(command.optsWithGlobals()));
  strict(host);
}

function addPorts(program: Command, actions: HostActions): void {
  const ports = program
    .command('ports')
    .description('list the container ports that callers may reach, and why')
    .option('--json', 'print JSON')
    .addHelpText('after', PORTS_EXAMPLES)
    .action((_options, command: Command) => actions.ports(command.optsWithGlobals()));
  const kinds = {
    open: 'open a port of a container by hand, until it stops',
    close: 'close a port of a container by hand, until it stops, whatever is registered',
    own: 'end what was opened or closed by hand: registered services count again',
  } as const;
  for (const kind of ['open', 'close', 'own'] as const) {
    const command = ports
      .command(kind)
      .description(kinds[kind])
      .argument('<container>', CONTAINER)
      .argument('<port>', 'protocol and port of the container, such as tcp/80')
      .option('--json', 'print JSON')
      .action((container: string, traffic: string, _options, one: Command) =>
        actions.setPort({ container, traffic, kind }, one.optsWithGlobals()),
      );
    if (kind === 'open')
      command.option('--from <prefixes>', 'only for these callers, as 198.51.100.0/24,2001:db8::/32');
  }
  strict(ports);
}

function addForwards(program: Command, actions: HostActions): void {
  const forwards = program
    .command('forwards')
    .description('list the ports of this host that lead to containers')
    .option('--json', 'print JSON')
    .addHelpText('after', FORWARDS_EXAMPLES)
    .action((_options, command: Command) => actions.forwards(command.optsWithGlobals()));
  const create = forwards
    .command('create')
    .description('wait until a container runs and its ports are forwarded: for ExecStartPost of its unit')
    .action((container: string, _options, one: Command) =>
      actions.createForwards(container, one.optsWithGlobals()),
    );
  const remove = forwards
    .command('delete')
    .description('wait until no port is forwarded to a container: for ExecStopPost of its unit')
    .action((container: string, _options, one: Command) =>
      actions.deleteForwards(container, one.optsWithGlobals()),
    );
  for (const command of [create, remove]) addFileOptions(command.argument('<container>', CONTAINER));
  strict(forwards);
}

/** Those of docker-iptables.py, with its defaults. */
function addFileOptions(command: Command): void {
  command
    .option('--write-files', 'keep the forwards in files for iptables-restore instead, without a controller')
    .option('--iptables-dir <path>', 'with --write-files: folder for IPv4', '/etc/iptables.d')
    .option('--ip6tables-dir <path>', 'with --write-files: folder for IPv6', '/etc/ip6tables.d')
    .option('--chain <name>', 'with --write-files: the chain of nat for the forwards', 'DOCKER_CONTAINERS')
    .option('--ipv6', 'with --write-files: also forward IPv6')
    .option('--debug', 'with --write-files: print the rules');
}

/** Errors of inner commands end as those of the program do. */
function strict(group: Command): void {
  for (const command of group.commands) command.exitOverride().allowExcessArguments(false);
}

const HOST_EXAMPLES = `
Examples:
  $ egresstrator host status
  $ egresstrator host render | less
  $ egresstrator host clear                after they were turned off
  $ egresstrator host restore              where no controller runs
  $ egresstrator ports                     what is open, and why
  $ egresstrator forwards                  where ports of this host lead`;

const FORWARDS_EXAMPLES = `
Examples:
  $ egresstrator forwards
  $ egresstrator forwards create web
  $ egresstrator forwards create web --write-files --ipv6
  $ egresstrator forwards delete web --write-files`;

const PORTS_EXAMPLES = `
Examples:
  $ egresstrator ports
  $ egresstrator ports open web tcp/8080 --from 198.51.100.0/24
  $ egresstrator ports close web tcp/80
  $ egresstrator ports own web tcp/80      as registered again
  $ egresstrator explain --in web 198.51.100.7 tcp/80`;
