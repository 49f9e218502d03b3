/**
 * What every question has in common: its configuration, its output, its colours.
 */
import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import { createOutput, type Output, type Terminal } from '../output.ts';
import { type Paint, paintFor, plain } from '../present/paint.ts';

export interface Asking {
  readonly config: Config;
  readonly output: Output;
  readonly paint: Paint;
  readonly terminal: Terminal;
}

export function ask(flags: Flags, terminal: Terminal): Asking {
  const json = flags.json === true;
  return {
    config: resolveConfig(flags, terminal.environment),
    output: createOutput(terminal, json),
    paint: json ? plain : paintFor(terminal),
    terminal,
  };
}

/** Answers are about what is allowed, which this template does not ask. */
export const DENYLIST_NOTE =
  'the denylist template is in use: only what keys name that were not granted is refused, and time and names of others';
