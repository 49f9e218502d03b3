/**
 * Keeps the host's rules as texts in the state folder, from which `netns boot` loads them before the Engine starts, without
 * this program: `host.nft` under the same boot, else `host.boot.nft`. Both load by themselves with `nft -f`.
 *
 * `host.begun` is there before anything is changed on the host: however a run ends, what it has left can be found. After the
 * host's rules were turned off, all of them go, and `host.left` tells that rules may still be loaded.
 */
import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { messageOf } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { STATE_FILES } from './file-names.ts';

export interface HostTexts {
  /** As loaded. */
  readonly loaded: string;
  /** What may be loaded after a reboot: it opens no address. */
  readonly afterReboot: string;
}

export const LEFT_ON_HOST =
  "the host's rules are turned off, but those of an earlier run may still be loaded; `egresstrator host clear` removes them";

const RULES = [STATE_FILES.hostBegun, STATE_FILES.hostRules, STATE_FILES.hostBootRules];

export class HostFiles {
  readonly #directory: string;
  readonly #bootId: string | undefined;
  readonly #log: Logger;
  #next: { readonly fingerprint: string; readonly texts: () => HostTexts } | undefined;
  #written: string | undefined;
  #writing: Promise<void> | undefined;
  #failed = false;

  constructor(directory: string, bootId: string | undefined, log: Logger) {
    this.#directory = directory;
    this.#bootId = bootId;
    this.#log = log;
  }

  /** Call it before the first change of the host. A folder that cannot be written to stops nothing. */
  async begin(): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFileAtomic(join(this.#directory, STATE_FILES.hostBegun), '', { mode: 0o600 });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Writes both texts unless they are written; of several in a row, the last. A failure is logged once. */
  save(fingerprint: string, texts: () => HostTexts): void {
    if (fingerprint === this.#written && this.#next === undefined) return;
    this.#next = { fingerprint, texts };
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#next !== undefined) {
      const { fingerprint, texts } = this.#next;
      this.#next = undefined;
      try {
        await this.#write(fingerprint, texts());
        this.#written = fingerprint;
        this.#failed = false;
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  #fail(error: unknown): void {
    const fields = { path: this.#directory, error: messageOf(error) };
    if (!this.#failed) this.#log.warn(fields, 'the rules for the next boot could not be written to disk');
    this.#failed = true;
  }

  /** The text that is valid longer comes first. */
  async #write(fingerprint: string, { loaded, afterReboot }: HostTexts): Promise<void> {
    const path = (name: string) => join(this.#directory, name);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFileAtomic(path(STATE_FILES.hostBootRules), loadable('any', afterReboot), { mode: 0o600 });
    const head = `boot ${this.#bootId ?? 'unknown'}\n# fingerprint ${fingerprint}`;
    await writeFileAtomic(path(STATE_FILES.hostRules), loadable(head, loaded), { mode: 0o600 });
    await rm(path(STATE_FILES.hostLeft), { force: true });
  }
}

/** `netns` sets the variable for each load; nothing waits for a text that is loaded by hand. */
const loadable = (head: string, text: string): string => `# ${head}\ndefine settled = 0\n${text}`;

/** Removes the texts. True if they, or an earlier call under the same boot, tell that rules may be loaded. */
export async function turnOffHostFiles(directory: string, bootId: string | undefined): Promise<boolean> {
  const path = (name: string) => join(directory, name);
  const exist = await Promise.all(RULES.map((name) => exists(path(name))));
  if (exist.includes(true)) {
    await writeFileAtomic(path(STATE_FILES.hostLeft), `${bootId ?? 'unknown'}\n`, { mode: 0o600 });
    for (const name of RULES) await rm(path(name), { force: true });
  }
  return isHostLeft(directory, bootId);
}

/** True if rules were turned off under this boot, so that they may still be loaded. */
export async function isHostLeft(directory: string, bootId: string | undefined): Promise<boolean> {
  const left = await readFile(join(directory, STATE_FILES.hostLeft), 'utf8').catch(() => undefined);
  return left !== undefined && left.trim() === (bootId ?? 'unknown');
}

/** True if the folder tells that this host has rules of its own, or had. */
export async function mayHoldHostRules(directory: string): Promise<boolean> {
  const names = [...RULES, STATE_FILES.hostLeft];
  return (await Promise.all(names.map((name) => exists(join(directory, name))))).includes(true);
}

/** Nothing of the host's rules is left to be loaded or removed. */
export async function clearHostFiles(directory: string): Promise<void> {
  for (const name of [...RULES, STATE_FILES.hostLeft]) await rm(join(directory, name), { force: true });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
