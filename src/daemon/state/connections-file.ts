/**
 * Stores whose connections may not have ended yet, see `ConnectionRecords`.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import type { OutdatedLines } from '../connection-records.ts';
import { STATE_FILES } from './file-names.ts';
import { StateFolderFile } from './state-folder-file.ts';

const Content = z.object({ outdated: z.array(z.tuple([z.string(), z.array(z.string())])) });

export class ConnectionsFile {
  readonly #file: StateFolderFile;

  constructor(directory: string, log: Logger) {
    this.#file = new StateFolderFile(join(directory, STATE_FILES.connections), log, {
      what: 'the connections of removed forwards and permits',
    });
  }

  /** Never throws. */
  async load(): Promise<OutdatedLines | undefined> {
    const content = await this.#file.read((json) => Content.parse(json));
    return content && new Map(content.outdated.map(([namespace, lines]) => [namespace, new Set(lines)]));
  }

  /** Resolves when they are on disk, or cannot be written. */
  save(all: OutdatedLines): Promise<void> {
    this.#file.write(() => ({ outdated: [...all].map(([namespace, lines]) => [namespace, [...lines]]) }));
    return this.#file.written();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
