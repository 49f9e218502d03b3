/**
 * Stores which containers registrations of services were first matched with, so that an address that is used again does
 * not become open because the controller was restarted.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import type { MatchedContainers } from '../../features/host/registrations.ts';
import { STATE_FILES } from './file-names.ts';
import { StateFolderFile } from './state-folder-file.ts';

const Content = z.object({ matched: z.array(z.tuple([z.string(), z.array(z.string())])) });

export class RegistrationsFile {
  readonly #file: StateFolderFile;

  constructor(directory: string, log: Logger) {
    this.#file = new StateFolderFile(join(directory, STATE_FILES.registrations), log, {
      what: 'the containers of registered services',
    });
  }

  /** Never throws. */
  async load(): Promise<MatchedContainers | undefined> {
    const content = await this.#file.read((json) => Content.parse(json));
    return content && new Map(content.matched);
  }

  save(matched: MatchedContainers): void {
    this.#file.write(() => ({ matched: [...matched] }));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
