/**
 * The last good text of networks.json in the state folder: a controller that starts while the file is gone or broken goes
 * on with it.
 */
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../common/logger.ts';
import { STATE_FILES } from './file-names.ts';
import { StateFolderFile } from './state-folder-file.ts';

const Content = z.object({ version: z.literal(1), path: z.string(), text: z.string() });

const openFile = (directory: string, log: Logger): StateFolderFile =>
  new StateFolderFile(join(directory, STATE_FILES.networks), log, { what: 'the last good networks.json' });

export class LastNetworksFile {
  readonly #file: StateFolderFile;
  readonly #path: string;

  /** `path`: of networks.json; the text of another file does not count. */
  constructor(directory: string, path: string, log: Logger) {
    this.#path = path;
    this.#file = openFile(directory, log);
  }

  async load(): Promise<string | undefined> {
    const content = await this.#file.read((json) => Content.parse(json));
    return content?.path === this.#path ? content.text : undefined;
  }

  save(text: string): void {
    this.#file.write(() => ({ version: 1, path: this.#path, text }));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** The text that a controller applied last, whatever the path of its file was: what is loaded came from it. */
export const lastNetworksText = (directory: string, log: Logger): Promise<string | undefined> =>
  openFile(directory, log).read((json) => Content.parse(json).text);

/** True if a controller has applied a file of networks, whatever its path was. */
export const hasLastNetworks = (directory: string): Promise<boolean> =>
  access(join(directory, STATE_FILES.networks)).then(
    () => true,
    () => false,
  );

/** After all that came from it was removed. */
export const forgetNetworks = (directory: string): Promise<void> =>
  rm(join(directory, STATE_FILES.networks), { force: true });
