/**
 * Logs through pino: JSON lines for machines, readable lines on a terminal. Everything goes to
 * standard error, as standard output belongs to what a command prints.
 *
 * Each line passes one function that makes texts of others printable.
 */
import { destination, pino } from 'pino';
import { build } from 'pino-pretty';
import type { Logger } from '../common/logger.ts';
import { printableJson, shown } from '../common/text.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'auto' | 'json' | 'text';
  /** Whether standard error is a terminal, and whether colour is wanted there. */
  readonly terminal: boolean;
  readonly colour: boolean;
}

export function createLogger({ level, format, terminal, colour }: LogOptions): Logger {
  const base = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const readable = format === 'text' || (format === 'auto' && terminal);
  if (!readable)
    return pino({ ...base, hooks: { streamWrite: printableJson } }, destination({ dest: 2, sync: true }));
  const stream = build({
    destination: 2,
    sync: true,
    colorize: colour,
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
  });
  return pino({ ...base, hooks: { streamWrite: readableLine } }, stream);
}

/** Texts at full length: with --dry-run one of them is the text of the rules. */
function readableLine(line: string): string {
  const fields: unknown = JSON.parse(line);
  return `${JSON.stringify(shown(fields, Number.POSITIVE_INFINITY))}\n`;
}
