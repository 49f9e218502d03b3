/**
 * Stores the loads on disk, see `LoadRecords`. Writes at once if nothing was written for a moment, otherwise after the
 * pause, so that 200 containers that start cost a few writes.
 *
 * The record is valid only for the same versions of nft and of this program: another version may list rules
 * differently, and all namespaces would look changed.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import type { Loads } from '../../reconciler/load-records.ts';
import { STATE_FILES } from './file-names.ts';
import { StateFolderFile, type StateFolderFileOptions } from './state-folder-file.ts';

/** Milliseconds between two writes. Short, because loads since the last write are repeated after a crash. */
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
  readonly #file: StateFolderFile;
  readonly #reader: string;

  /** `reader`: the versions that the format of a listing depends on. `name`: of the file. */
  constructor(
    directory: string,
    reader: string,
    log: Logger,
    {
      name = STATE_FILES.loads,
      ...options
    }: Partial<StateFolderFileOptions> & { readonly name?: string } = {},
  ) {
    this.#file = new StateFolderFile(join(directory, name), log, {
      ...{ what: 'record of loads', pause: PAUSE },
      ...options,
    });
    this.#reader = reader;
  }

  /** The recorded loads, if they are valid. Never throws. */
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
