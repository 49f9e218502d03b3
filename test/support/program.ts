/** The command line as main.ts makes it, whose commands do nothing but tell what they were asked. */
import type { Command } from 'commander';
import { addGate } from '../../src/cli/commands/gate.ts';
import { addCompletion } from '../../src/cli/completion.ts';
import { type Actions, createProgram } from '../../src/cli/program.ts';
import type { Flags } from '../../src/config/config.ts';
import type { Terminal } from '../../src/config/terminal.ts';

export interface Asked {
  readonly command: string;
  readonly container?: string | undefined;
  readonly flags: Flags;
}

const nowhere: Terminal = { stdout: process.stdout, stderr: process.stderr, environment: {} };

/** `tell` gets what a command was asked, `print` what goes to standard error. */
export function silentProgram(
  tell: (asked: Asked) => void = () => undefined,
  print: (text: string) => void = () => undefined,
): Command {
  const program = createProgram('1.2.3', actionsThat(tell));
  addGate(program, nowhere);
  addCompletion(program, () => undefined);
  for (const gate of program.commands.filter((command) => command.name() === 'gate'))
    for (const command of gate.commands)
      command.action(() => tell({ command: `gate ${command.name()}`, flags: command.optsWithGlobals() }));
  for (const command of commandsOf(program))
    command.exitOverride().configureOutput({ writeErr: print, writeOut: () => undefined });
  return program;
}

export const commandsOf = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(commandsOf),
];

function actionsThat(tell: (asked: Asked) => void): Actions {
  const one = (command: string) => async (container: string | undefined, flags: Flags) =>
    tell({ command, container, flags });
  return {
    run: async (flags) => tell({ command: 'run', flags }),
    lint: async (flags) => tell({ command: 'lint', flags }),
    keys: async (flags) => tell({ command: 'keys', flags }),
    doctor: async (flags) => tell({ command: 'doctor', flags }),
    page: async (flags) => tell({ command: 'page', flags }),
    uninstall: async (flags) => tell({ command: 'uninstall', flags }),
    health: async (flags) => tell({ command: 'health', flags }),
    explain: async ({ container }, flags) => tell({ command: 'explain', container, flags }),
    hostStatus: async (flags) => tell({ command: 'host status', flags }),
    hostClear: async (flags) => tell({ command: 'host clear', flags }),
    hostRender: async (flags) => tell({ command: 'host render', flags }),
    hostRestore: async (flags) => tell({ command: 'host restore', flags }),
    ports: async (flags) => tell({ command: 'ports', flags }),
    forwards: async (flags) => tell({ command: 'forwards', flags }),
    createForwards: async (container, flags) => tell({ command: 'forwards create', container, flags }),
    deleteForwards: async (container, flags) => tell({ command: 'forwards delete', container, flags }),
    setPort: async ({ container, kind }, flags) => tell({ command: `ports ${kind}`, container, flags }),
    diffNetworks: async (_file, flags) => tell({ command: 'networks diff', flags }),
    applyNetworks: async (_file, flags) => tell({ command: 'networks apply', flags }),
    checkNetworks: async (_file, flags) => tell({ command: 'networks check', flags }),
    diff: async (_key, flags) => tell({ command: 'diff', flags }),
    ...{ set: one('set'), clear: one('clear'), render: one('render') },
    ...{ status: one('status'), denied: one('denied'), suggest: one('suggest') },
  };
}
