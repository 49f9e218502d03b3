/**
 * The text of one file, kept up to date however it is replaced: written in place, renamed over, by a symbolic link that
 * is swapped, or with its folder.
 *
 * A watch of the file itself is deaf after a rename, so folders are watched: the file's own, the one around it (in which
 * a link to the folder is swapped, or the folder is made again), and the one that links lead to. Names in events are
 * ignored; each event means "read again". A change without an event is found by a read each half minute. The last text
 * stays while the file cannot be read.
 */
import { type FSWatcher, watch } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf, UserError } from '../../common/errors.ts';
import { readRegularFile } from '../../common/regular-file.ts';
import type { Watched } from '../../inventory/sources.ts';

export interface WatchedFileSettings {
  /** Milliseconds by a clock that never goes back. */
  readonly steadyNow: () => number;
  /** Milliseconds between two reads because of events, while these go on; between the first ones it is less. */
  readonly pause?: number;
  /** Milliseconds between two reads without an event. */
  readonly poll?: number;
  /** The same while a folder cannot be watched. */
  readonly pollUnwatched?: number;
}

/**
 * Milliseconds between the first two reads. Most programs write another file and rename it, so the first event finds the
 * old text.
 */
const FIRST_PAUSE = 10;

export class WatchedFile implements Watched<string> {
  value: string | undefined;
  error: Error | undefined;
  confirmedAt: number | undefined;
  readonly #path: string;
  readonly #settings: Required<WatchedFileSettings>;
  readonly #onChange: () => void;
  #watchers: readonly FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Milliseconds after the next read. */
  #pause = FIRST_PAUSE;
  /** Set while a read runs: whether another one must follow. */
  #again: boolean | undefined;
  #closed = false;

  constructor(path: string, settings: WatchedFileSettings, onChange: () => void) {
    this.#path = resolve(path);
    this.#settings = { pause: 200, poll: 30_000, pollUnwatched: 1_000, ...settings };
    this.#onChange = onChange;
    this.#read();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const one of this.#watchers) one.close();
  }

  /**
   * At once, or after a pause if it was read a moment ago. Events during a read cause another one. Each pause is twice as
   * long as the one before it, so that a file that is written often costs little.
   */
  #event(): void {
    if (this.#closed) return;
    if (this.#again === undefined) this.#read();
    else this.#again = true;
  }

  #read(): void {
    clearTimeout(this.#timer);
    this.#again = false;
    const { pause: most } = this.#settings;
    const pause = Math.min(this.#pause, most);
    this.#pause = 2 * pause;
    void this.#readOnce().then((isWatched) => {
      if (this.#closed) return;
      this.#timer = setTimeout(() => this.#afterPause(isWatched), pause);
    });
  }

  #afterPause(isWatched: boolean): void {
    if (this.#again === true) {
      this.#read();
      return;
    }
    this.#again = undefined;
    this.#timer = setTimeout(() => this.#rest(isWatched), this.#settings.pause);
  }

  /** There was no event for a while. */
  #rest(isWatched: boolean): void {
    this.#pause = FIRST_PAUSE;
    const { poll, pollUnwatched } = this.#settings;
    this.#timer = setTimeout(() => this.#read(), isWatched ? poll : pollUnwatched);
  }

  /** Folders are watched before the file is read, so that no change is missed between. Never fails. */
  async #readOnce(): Promise<boolean> {
    const isWatched = await this.#watchFolders();
    try {
      this.#update(await readRegularFile(this.#path));
    } catch (error) {
      this.#fail(error);
    }
    return isWatched;
  }

  #update(text: string): void {
    if (this.#closed) return;
    const isSame = this.error === undefined && this.value === text;
    this.error = undefined;
    this.value = text;
    this.confirmedAt = this.#settings.steadyNow();
    if (!isSame) this.#onChange();
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    const message = `the file ${this.#path} cannot be read: ${messageOf(error)}`;
    const isNew = this.error?.message !== message;
    this.error = new UserError(message, { cause: error });
    if (isNew) this.#onChange();
  }

  /**
   * True if all folders are watched. They are watched anew for each read: a folder that was removed and made again may
   * have the same number, and a watch of the old one is silent.
   */
  async #watchFolders(): Promise<boolean> {
    const folders = await foldersOf(this.#path);
    if (this.#closed) return true;
    const before = this.#watchers;
    const watched = folders.map((folder) => this.#watch(folder));
    this.#watchers = watched.flatMap((one) => one ?? []);
    for (const one of before) one.close();
    return !watched.includes(undefined);
  }

  /** Undefined: the folder is gone, or the system has no watch left. */
  #watch(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#event());
      watcher.on('error', () => {
        watcher.close();
        this.#event();
      });
      return watcher;
    } catch {
      return undefined;
    }
  }
}

async function foldersOf(path: string): Promise<readonly string[]> {
  const own = dirname(path);
  const real = await realpath(path).then(dirname, () => own);
  return [...new Set([dirname(own), own, real])];
}
