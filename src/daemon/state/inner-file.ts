/**
 * Stores in which namespaces of containers networks.json has put something, see `InnerRecord`.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import type { NamespaceId } from '../../inventory/namespace.ts';
import { STATE_FILES } from './file-names.ts';
import { StateFolderFile } from './state-folder-file.ts';

const Content = z.object({ namespaces: z.array(z.string()) });

export class InnerFile {
  readonly #file: StateFolderFile;

  constructor(directory: string, log: Logger) {
    this.#file = new StateFolderFile(join(directory, STATE_FILES.inner), log, {
      what: 'the containers with rules of networks.json',
    });
  }

  /** Never throws. */
  async load(): Promise<ReadonlySet<NamespaceId> | undefined> {
    const content = await this.#file.read((json) => Content.parse(json));
    return content && new Set(content.namespaces);
  }

  save(namespaces: ReadonlySet<NamespaceId>): void {
    this.#file.write(() => ({ namespaces: [...namespaces] }));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
