/**
 * The configuration, output and colours of a command.
 */
import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { plain, type Style } from '../../format/style.ts';
import { styleFor } from '../format/terminal-style.ts';
import { createOutput, type Output } from '../output.ts';

export interface CommandContext {
  readonly config: Config;
  readonly output: Output;
  readonly style: Style;
  readonly terminal: Terminal;
}

export function commandContext(flags: Flags, terminal: Terminal): CommandContext {
  const json = flags.json === true;
  return {
    config: resolveConfig(flags, terminal.environment),
    output: createOutput(terminal, json),
    style: json ? plain : styleFor(terminal),
    terminal,
  };
}
