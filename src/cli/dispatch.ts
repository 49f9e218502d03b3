/**
 * Runs the command in the arguments, and turns errors into one sentence and an exit code (0 done, 1 failed, 2 wrong
 * usage).
 */
import { CommanderError } from 'commander';
import { version } from '../common/assets.ts';
import { UnansweredError, UsageError, UserError } from '../common/errors.ts';
import type { Flags } from '../config/config.ts';
import type { Terminal } from '../config/terminal.ts';
import { addGate } from './commands/gate.ts';
import { addCompletion } from './completion.ts';
import { createActions } from './lazy-commands.ts';
import { shapesOf, translateLegacy } from './legacy-arguments.ts';
import { ensureNodeFlags } from './node-flags.ts';
import { printError } from './output.ts';
import { type Actions, createProgram } from './program.ts';

const terminal: Terminal = {
  ...{ stdout: process.stdout, stderr: process.stderr, environment: process.env },
  /** Opened only on access: most commands do not read it. */
  get stdin() {
    return process.stdin;
  },
};

async function main(): Promise<number> {
  const actions = createActions(terminal);
  const program = createProgram(version(), {
    ...actions,
    run: (flags) => runController(actions, flags),
    page: (flags) => runPage(actions, flags),
  });
  addGate(program, terminal);
  addCompletion(program, (text) => process.stdout.write(text));
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync(translateLegacy(process.argv.slice(2), shapesOf(program)), { from: 'user' });
    return 0;
  } catch (error) {
    return exitCodeOf(error);
  }
}

/** A controller and a page work on when nobody reads what they print any more. */
let isService = false;

function runController({ run }: Actions, flags: Flags): Promise<void> {
  ensureNodeFlags();
  isService = true;
  return run(flags);
}

function runPage({ page }: Actions, flags: Flags): Promise<void> {
  isService = true;
  return page(flags);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  printError(error, terminal);
  return error instanceof UsageError || error instanceof UnansweredError ? 2 : 1;
}

/** Who reads the output may stop, as `head` does: that is no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (isService) return;
  if (error.code !== 'EPIPE')
    printError(new UserError(`the output cannot be written: ${error.message}`), terminal);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
process.exitCode = await main();
