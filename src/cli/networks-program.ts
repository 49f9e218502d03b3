/**
 * The commands about networks.json: their arguments, options and help.
 */
import type { Command } from 'commander';
import type { Flags } from '../config/config.ts';

/** What the commands do; `flags` are those of the command and of the program together. */
export interface NetworksActions {
  checkNetworks(file: string | undefined, flags: Flags): Promise<void>;
  diffNetworks(file: string, flags: Flags): Promise<void>;
  applyNetworks(file: string | undefined, flags: Flags): Promise<void>;
}

export function addNetworks(program: Command, actions: NetworksActions): void {
  const networks = program
    .command('networks')
    .description('networks.json: networks, addresses and policies of containers (see --networks)')
    .addHelpText('after', EXAMPLES);
  networks
    .command('check')
    .description('check the file by itself, without a controller, an Engine or Consul')
    .argument('[file]', 'its path, or - for standard input (default: that of --networks)')
    .option('--strict', 'exit with 1 for a warning too')
    .option('--json', 'print JSON')
    .action((file: string | undefined, _options, command: Command) =>
      actions.checkNetworks(file, command.optsWithGlobals()),
    );
  networks
    .command('diff')
    .description('preview what another file would change')
    .argument('<file>', 'its path, or - for standard input; it is compared with that of --networks')
    .option('--json', 'print JSON')
    .action((file: string, _options, command: Command) =>
      actions.diffNetworks(file, command.optsWithGlobals()),
    );
  networks
    .command('apply')
    .description('list what the controller would make and remove on this host now')
    .argument('[file]', 'its path, or - for standard input (default: that of --networks)')
    .option('--dry-run', 'change nothing; without it, the controller alone applies the file')
    .option('--json', 'print JSON')
    .action((file: string | undefined, _options, command: Command) =>
      actions.applyNetworks(file, command.optsWithGlobals()),
    );
  for (const command of networks.commands) command.exitOverride().allowExcessArguments(false);
}

const EXAMPLES = `
Examples:
  $ egresstrator networks check /etc/user/config/networks.json
  $ egresstrator networks check --strict --json - < networks.json
  $ egresstrator networks diff new.json --networks networks.json
  $ egresstrator networks apply --dry-run new.json

Exit codes: 0 no error, 1 errors (of check with --strict also warnings),
2 the file cannot be read.`;
