/**
 * Structured logs, as the rest of the program sees them.
 */

/** Structured logs: the message is a constant, what varies is in the fields. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
