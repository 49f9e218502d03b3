/**
 * The record of loads on disk, see `LoadRecords`. Written at once where nothing was written for a
 * moment, else at the end of it, so that 200 containers that start cost a few writes.
 *
 * It counts only for the same version of nft and of this program: another version may list rules differently, and
 * all namespaces would look changed.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import type { Loads } from '../../reconciler/load-records.ts';
import { STATE_FILES } from './file-names.ts';
import { KeptFile, type KeptFileOptions } from './kept-file.ts';

/** Milliseconds between two writes: as much may be loaded anew after a crash, so it is short. */
const PAUSE = 250;

const Content = z.object({
  reader: z.string(),
  loads: z.array(
    z.tuple([
      z.string(),
      z.object({
        attachments: z.string(),
        fingerprint: z.string().optional(),
        facts: z.string().optional(),
        digest: z.string(),
      }),
    ]),
  ),
});

export class LoadsFile {
  readonly #file: KeptFile;
  readonly #reader: string;

  /** `reader`: what the words of a listing depend on. */
  constructor(directory: string, reader: string, log: Logger, options: Partial<KeptFileOptions> = {}) {
    this.#file = new KeptFile(join(directory, STATE_FILES.loads), log, {
      ...{ what: 'what was loaded', pause: PAUSE },
      ...options,
    });
    this.#reader = reader;
  }

  /** What was loaded, as far as it counts. Never throws. */
  async load(): Promise<Loads | undefined> {
    const content = await this.#file.read((json) => Content.parse(json));
    if (content?.reader !== this.#reader) return undefined;
    const entries = content.loads.map(
      ([id, { attachments, fingerprint, facts, digest }]) =>
        [id, { attachments, fingerprint, facts, digest }] as const,
    );
    return new Map(entries);
  }

  save(loads: Loads): void {
    this.#file.write(() => ({ reader: this.#reader, loads: [...loads] }));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
