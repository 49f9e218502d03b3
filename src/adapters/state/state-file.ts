/**
 * The last known rules and services on disk, so that a controller that starts while Consul is away
 * still protects. One file, replaced atomically, readable by its owner alone.
 *
 * A file that is damaged, or written by a newer version, is ignored with a warning: it is a memory,
 * and forgetting is safe (nothing is allowed until Consul answers).
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { Knowledge } from '../../controller/known-world.ts';
import type { Logger } from '../../controller/ports.ts';
import { messageOf } from '../../domain/errors.ts';

const VERSION = 1;

/** Milliseconds after which what could not be written is tried again. */
const RETRY_AFTER = 5_000;

const Instances = z.array(
  z.object({ address: z.string(), port: z.number(), tags: z.array(z.string()), node: z.string() }),
);

const Envelope = z.object({ version: z.number(), checksum: z.string(), content: z.string() });

const Content = z.object({
  rules: z.array(z.tuple([z.string(), z.string()])),
  services: z.array(z.tuple([z.string(), Instances])),
});

export class StateFile {
  readonly #path: string;
  readonly #log: Logger;
  #written: string | undefined;
  #next: Knowledge | undefined;
  #writing: Promise<void> | undefined;
  #failed = false;
  #retry: NodeJS.Timeout | undefined;
  readonly #retryAfter: number;

  constructor(directory: string, log: Logger, retryAfter = RETRY_AFTER) {
    this.#path = join(directory, 'known.json');
    this.#log = log;
    this.#retryAfter = retryAfter;
  }

  /** What was known, or undefined where there is nothing usable. Never throws. */
  async load(): Promise<Knowledge | undefined> {
    try {
      return decode(await readFile(this.#path, 'utf8'));
    } catch (error) {
      if (!isMissing(error)) {
        const fields = { path: this.#path, error: messageOf(error) };
        this.#log.warn(fields, 'last known rules can not be used; starting without them');
      }
      return undefined;
    }
  }

  /**
   * Keeps `knowledge`, soon: of several in a row the last is written. Failures are logged once, and what
   * failed is tried again, as nothing else may happen for long.
   */
  save(knowledge: Knowledge): void {
    clearTimeout(this.#retry);
    this.#next = knowledge;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    await this.#writing;
    clearTimeout(this.#retry);
  }

  async #writeAll(): Promise<void> {
    while (this.#next !== undefined) {
      const knowledge = this.#next;
      this.#next = undefined;
      const text = encode(knowledge);
      if (text === this.#written || (await this.#write(text))) continue;
      if (this.#next === undefined)
        this.#retry = setTimeout(() => this.save(knowledge), this.#retryAfter).unref();
    }
  }

  /** Whether it is written. */
  async #write(text: string): Promise<boolean> {
    try {
      await mkdir(join(this.#path, '..'), { recursive: true, mode: 0o700 });
      await writeFileAtomic(this.#path, text, { mode: 0o600 });
      this.#written = text;
      this.#failed = false;
      return true;
    } catch (error) {
      const fields = { path: this.#path, error: messageOf(error) };
      if (!this.#failed) this.#log.warn(fields, 'last known rules could not be kept on disk');
      this.#failed = true;
      return false;
    }
  }
}

export function encode({ rules, services }: Knowledge): string {
  const content = JSON.stringify({ rules: sorted(rules), services: sorted(services) });
  return `${JSON.stringify({ version: VERSION, checksum: checksum(content), content })}\n`;
}

/** Throws an `Error` that says in one clause why the text is of no use. */
export function decode(text: string): Knowledge {
  const envelope = Envelope.safeParse(parseJson(text));
  if (!envelope.success) throw new Error('it is not a state file of egresstrator');
  const { version, checksum: sum, content } = envelope.data;
  if (version !== VERSION)
    throw new Error(`it has version ${version}, and this program reads version ${VERSION}`);
  if (sum !== checksum(content)) throw new Error('its checksum does not fit, so it is damaged');
  const { rules, services } = Content.parse(parseJson(content));
  return { rules: new Map(rules), services: new Map(services) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

const sorted = <T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] =>
  [...map].sort(([one], [other]) => (one < other ? -1 : 1));

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
