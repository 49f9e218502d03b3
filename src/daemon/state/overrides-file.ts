/**
 * Stores the overrides on disk, see `Overrides`. Writes at once, because an operator does not repeat them.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import type { PersistedOverrides } from '../../features/egress/overrides.ts';
import { STATE_FILES } from './file-names.ts';
import { StateFolderFile, type StateFolderFileOptions } from './state-folder-file.ts';

const Override = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('set'), grants: z.array(z.string()), since: z.number() }),
  z.object({ kind: z.literal('clear'), since: z.number() }),
]);

const Content = z.object({ overrides: z.array(z.tuple([z.string(), Override])) });

export class OverridesFile {
  readonly #file: StateFolderFile;

  constructor(directory: string, log: Logger, options: Partial<StateFolderFileOptions> = {}) {
    const what = 'rules set or cleared by hand';
    this.#file = new StateFolderFile(join(directory, STATE_FILES.overrides), log, { what, ...options });
  }

  /** The stored overrides, if they can be read. Never throws. */
  async load(): Promise<PersistedOverrides | undefined> {
    const content = await this.#file.read((content) => Content.parse(content));
    return content && new Map(content.overrides);
  }

  save(overrides: PersistedOverrides): void {
    this.#file.write(() => ({ overrides: [...overrides] }));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
