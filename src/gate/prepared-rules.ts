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
import {
  type IngressRequest,
  preparedFolder,
  preparedIngressName,
  preparedName,
  type RuleRequest,
} from './names.ts';

export interface PreparedText extends RuleRequest {
  /** As rendered, without facts. */
  readonly text: string;
}

export interface PreparedIngressText extends IngressRequest {
  /** As it is loaded. */
  readonly text: string;
}

export interface Preparation {
  /** Undefined: not known yet, so the files of the previous run stay. */
  readonly rules: readonly PreparedText[] | undefined;
  /** The same for rules about who may reach a container. */
  readonly ingress?: readonly PreparedIngressText[] | undefined;
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
   * Replaces all files of known rules in the background; of several calls the last counts. Failures are logged once.
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
      const next = this.#next;
      this.#next = undefined;
      try {
        await this.#write(filesOf(next), (name) => isUnknown(name, next));
        this.#failed = false;
      } catch (error) {
        const fields = { folder: this.#folder, error: messageOf(error) };
        if (!this.#failed) this.#log.warn(fields, 'rules could not be prepared for the gate');
        this.#failed = true;
        this.#written.clear();
      }
    }
  }

  async #write(files: ReadonlyMap<string, string>, isUnknown: (name: string) => boolean): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const [name, content] of files) {
      if (this.#written.get(name) === content) continue;
      await writeFileAtomic(join(this.#folder, name), content, { mode: 0o600, fsync: false });
      this.#written.set(name, content);
    }
    for (const name of await readdir(this.#folder)) {
      if (!files.has(name) && !isUnknown(name)) await this.#remove(name);
    }
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true, recursive: true });
    this.#written.delete(name);
  }
}

/** A file of the previous run that may still be right. */
const isUnknown = (name: string, { rules, ingress }: Preparation): boolean =>
  (rules === undefined && name.endsWith('.nft')) || (ingress === undefined && name.endsWith('.ingress'));

function filesOf(preparation: Preparation): ReadonlyMap<string, string> {
  const { rules = [], ingress = [], defaultMode, engineResolvers } = preparation;
  const files = new Map<string, string>([
    ...rules.map((one) => [`${preparedName(one)}.nft`, contentOf(one)] as const),
    ...ingress.map((one) => [`${preparedIngressName(one)}.ingress`, one.text] as const),
  ]);
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
