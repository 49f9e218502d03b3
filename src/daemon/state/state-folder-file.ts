/**
 * One file of the state folder: replaced atomically, readable only by its owner, and written seldom.
 *
 * A file that is damaged, too large, or written by a newer version is ignored with a warning, which is safe. A failed
 * write is retried, because the next change may be long after it.
 */
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { messageOf } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { seal, unseal } from './envelope.ts';

export interface StateFolderFileOptions {
  /** What the file holds, as in "last known rules". */
  readonly what: string;
  /** Milliseconds between two writes, at least; more if the text takes long to make. */
  readonly pause?: number;
  /** Milliseconds after which a failed write is retried. */
  readonly retryAfter?: number;
}

/** Making the text blocks everything else, so it may take at most this part of the time. */
const SHARE = 1 / 30;

/** The most bytes of a file: 100,000 rules and as many instances take a tenth of it. */
const MOST_BYTES = 256 * 1024 * 1024;

export class StateFolderFile {
  readonly #path: string;
  readonly #log: Logger;
  readonly #options: Required<StateFolderFileOptions>;
  /** Returns the newest text; called when the file is written. */
  #next: (() => string) | undefined;
  #written: string | undefined;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #failed = false;

  constructor(path: string, log: Logger, options: StateFolderFileOptions) {
    this.#path = path;
    this.#log = log;
    this.#options = { pause: 0, retryAfter: 5_000, ...options };
  }

  /** What `parse` makes of the content, or undefined where there is nothing usable. Never throws. */
  async read<T>(parse: (content: unknown) => T): Promise<T | undefined> {
    try {
      return parse(unseal(await readText(this.#path)));
    } catch (error) {
      if (!isMissing(error)) {
        const fields = { path: this.#path, error: messageOf(error) };
        this.#log.warn(fields, `${this.#options.what} cannot be used; ignoring the file`);
      }
      return undefined;
    }
  }

  /** Writes what `content` returns when its turn has come: of several in a row the last. Failures are logged once. */
  write(content: () => object): void {
    this.#next = () => seal(JSON.stringify(content()));
    if (this.#writing !== undefined) return;
    if (this.#timer !== undefined && !this.#failed) return;
    this.#start();
  }

  /** Resolves when what was given so far is written, or could not be. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    if (this.#timer !== undefined && this.#next !== undefined && !this.#failed) this.#start();
    await this.#writing;
    clearTimeout(this.#timer);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writeNext().finally(() => {
      this.#writing = undefined;
      if (this.#next !== undefined && this.#timer === undefined) this.#start();
    });
  }

  async #writeNext(): Promise<void> {
    while (this.#next !== undefined) {
      const next = this.#next;
      this.#next = undefined;
      const begun = performance.now();
      const text = next();
      const made = performance.now() - begun;
      const done = text === this.#written || (await this.#replace(text));
      if (!done) this.#next ??= next;
      const { pause, retryAfter } = this.#options;
      const rest = done ? restOf(pause, made) : retryAfter;
      if (!done || (rest > 0 && !this.#closed)) return this.#rest(rest);
    }
  }

  /** Later calls wait for the pause. */
  #rest(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#next !== undefined) this.#start();
    }, ms).unref();
  }

  /** Returns whether it was written. */
  async #replace(text: string): Promise<boolean> {
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await writeFileAtomic(this.#path, text, { mode: 0o600 });
      this.#written = text;
      this.#failed = false;
      return true;
    } catch (error) {
      const fields = { path: this.#path, error: messageOf(error) };
      if (!this.#failed) this.#log.warn(fields, `${this.#options.what} could not be written to disk`);
      this.#failed = true;
      return false;
    }
  }
}

const restOf = (pause: number, made: number): number => (pause === 0 ? 0 : Math.max(pause, made / SHARE));

async function readText(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > MOST_BYTES) throw new Error(`it has ${size} bytes, more than any state of egresstrator`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
