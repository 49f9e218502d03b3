/**
 * Writes the rules that the gate loads before a container's first instruction: one file for each set of grants, mode
 * and DNS policy, and the settings that the gate needs (the default mode and the Engine's own resolvers).
 *
 * The files stay when the controller stops, so that containers that start meanwhile get the last known rules.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { isXtables } from '../features/egress/facts.ts';
import type { Mode } from '../inventory/workload.ts';
import { preparedFolder, preparedName, type RuleRequest } from './names.ts';

export interface PreparedText extends RuleRequest {
  /** As rendered, without facts. */
  readonly text: string;
}

export interface Preparation {
  readonly rules: readonly PreparedText[];
  /** The mode of workloads without EGRESSTRATOR_MODE. */
  readonly defaultMode: Mode;
  /** The Engine's resolvers for containers without `--dns`; undefined if not known. */
  readonly engineResolvers?: readonly string[] | undefined;
}

export class PreparedRules {
  readonly #folder: string;
  readonly #log: Logger;
  /** File name → content. */
  readonly #written = new Map<string, string>();
  #next: Preparation | undefined;
  #working: Promise<void> | undefined;
  #failed = false;

  constructor(runDir: string, log: Logger) {
    this.#folder = preparedFolder(runDir);
    this.#log = log;
  }

  /**
   * Replaces all files in the background; of several calls the last counts. Call it only when the rules are known;
   * until then the files of the previous run stay. Failures are logged once.
   */
  keep(preparation: Preparation): void {
    this.#next = preparation;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#next !== undefined) {
      const files = filesOf(this.#next);
      this.#next = undefined;
      try {
        await this.#write(files);
        this.#failed = false;
      } catch (error) {
        const fields = { folder: this.#folder, error: messageOf(error) };
        if (!this.#failed) this.#log.warn(fields, 'rules could not be prepared for the gate');
        this.#failed = true;
        this.#written.clear();
      }
    }
  }

  async #write(files: ReadonlyMap<string, string>): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const [name, content] of files) {
      if (this.#written.get(name) === content) continue;
      await writeFileAtomic(join(this.#folder, name), content, { mode: 0o600, fsync: false });
      this.#written.set(name, content);
    }
    for (const name of await readdir(this.#folder)) {
      if (!files.has(name)) await this.#remove(name);
    }
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true, recursive: true });
    this.#written.delete(name);
  }
}

function filesOf({ rules, defaultMode, engineResolvers }: Preparation): ReadonlyMap<string, string> {
  const files = new Map(rules.map((one) => [`${preparedName(one)}.nft`, contentOf(one)]));
  files.set('mode', `${defaultMode}\n`);
  if (engineResolvers !== undefined) {
    files.set('resolvers', engineResolvers.map((address) => `nameserver ${address}\n`).join(''));
  }
  return files;
}

/** The last line tells the loader that the text is complete. The first one is for people. */
function contentOf({ text, grants, mode, dns }: PreparedText): string {
  const about = isXtables(text) ? '' : `# ${JSON.stringify({ grants, mode, dns })}\n`;
  return `${about}${text}${text.endsWith('\n') ? '' : '\n'}# end\n`;
}
