/**
 * Errors that a user sees. The message is one sentence that names the problem and the solution; `cause` holds the
 * evidence.
 */

/** An error that a user can fix. The command line prints only the message, without a stack trace. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  /** The problems, one sentence each. */
  get lines(): readonly string[] {
    return [this.message];
  }
}

/** Wrong arguments or environment variables: exit code 2. */
export class UsageError extends UserError {
  override readonly name = 'UsageError';
  readonly #problems: readonly string[];
  constructor(...problems: readonly [string, ...string[]]) {
    super(problems.join('\n'));
    this.#problems = problems;
  }
  override get lines(): readonly string[] {
    return this.#problems;
  }
}

/** A question without an answer, if exit code 1 would be an answer: exit code 2. */
export class UnansweredError extends UserError {
  override readonly name = 'UnansweredError';
}

/** A template that does not compile, render or load. */
export class TemplateError extends UserError {
  override readonly name = 'TemplateError';
}

/** The Docker Engine cannot be reached, or rejects a request. */
export class EngineError extends UserError {
  override readonly name = 'EngineError';
}

/** Consul cannot be reached, or rejects a request. `permanent`: a retry cannot succeed by itself. */
export class ConsulError extends UserError {
  override readonly name = 'ConsulError';
  readonly permanent: boolean;
  constructor(message: string, options: ErrorOptions & { readonly permanent?: boolean } = {}) {
    super(message, options);
    this.permanent = options.permanent ?? false;
  }
}

/**
 * A text could not be loaded in, or read from, a namespace.
 * `gone`: the container ended meanwhile, which is not a failure; `exitCode` and `stderr` are the loader's.
 */
export class LoadError extends UserError {
  override readonly name = 'LoadError';
  readonly gone: boolean;
  readonly exitCode: number | undefined;
  readonly stderr: string;
  constructor(
    message: string,
    evidence: ErrorOptions & {
      readonly gone?: boolean;
      readonly exitCode?: number | undefined;
      readonly stderr?: string;
    } = {},
  ) {
    super(message, evidence);
    this.gone = evidence.gone ?? false;
    this.exitCode = evidence.exitCode;
    this.stderr = evidence.stderr ?? '';
  }
}

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
