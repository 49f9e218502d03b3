/** What the lab throws: one sentence that says what is missing or failed and what to do. */

export class LabError extends Error {
  override name = 'LabError';
}

/** The last lines of a program's log, for the end of an error message. */
export function tail(text: string, lines = 25): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
