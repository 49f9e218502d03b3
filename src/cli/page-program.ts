/**
 * The command that serves the page: its help. Its options are among those of the program.
 */
import type { Command } from 'commander';
import type { Flags } from '../config/config.ts';

export interface PageActions {
  page(flags: Flags): Promise<void>;
}

export function addPage(program: Command, actions: PageActions): void {
  program
    .command('page')
    .description('serve a page for browsers: what containers may reach, what is denied and why, live')
    .addHelpText('after', EXAMPLES)
    .action((_options, command: Command) => actions.page(command.optsWithGlobals()));
}

const EXAMPLES = `
It shows what a running controller says at its --watch-socket, and can change nothing. It needs no Engine,
no Consul and no privileges: run it as a user of its own, in the group that the socket belongs to.

Examples:
  $ egresstrator page                      prints an address for a browser on this host
  $ egresstrator page --page-listen 9000 --watch-socket /run/egresstrator-watch/watch.sock
  $ egresstrator page --page-listen 0.0.0.0:9465 --page-cert cert --page-key key --page-token-file token
  $ egresstrator page --page-listen unix:/run/page/page.sock
                                           behind a proxy that authenticates people itself

From another computer: ssh -L 9465:127.0.0.1:9465 <host>, and open the printed address there.`;
