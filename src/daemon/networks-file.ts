/**
 * networks.json as it is watched: the last good text counts, and what is wrong with the present one is reported once it
 * has lasted, as a file that is being written is half of one for a moment.
 */
import type { Problem } from '../common/problem.ts';
import { type ReadNetworks, readNetworks } from '../features/networks/read.ts';
import type { Watched } from '../inventory/sources.ts';

/** Milliseconds for which a file may be half written. */
const WRITTEN_IN = 1_000;

export interface NetworksFileOptions {
  readonly path: string;
  readonly now: () => number;
  /** The text that counted last in the previous run. */
  readonly previous: string | undefined;
  /** Called with a good text that is new. */
  readonly persist: (text: string) => void;
}

export class NetworksFileWatch {
  readonly #options: NetworksFileOptions;
  readonly #watched: Watched<string>;
  readonly #onChange: () => void;
  #parsed: { readonly text: string; readonly read: ReturnType<typeof readNetworks> } | undefined;
  #good: ReadNetworks | undefined;
  #persisted: string | undefined;
  /** Why the present file is not used. */
  #fault: { readonly reason: string; readonly since: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    options: NetworksFileOptions,
    watch: (path: string, onChange: () => void) => Watched<string>,
    onChange: () => void,
  ) {
    this.#options = options;
    this.#onChange = onChange;
    const { previous } = options;
    this.#persisted = previous;
    const read = previous === undefined ? undefined : readNetworks(previous);
    if (read !== undefined && !('reason' in read)) this.#good = read;
    this.#watched = watch(options.path, onChange);
  }

  /** False until the file was read, or could not be. */
  get isKnown(): boolean {
    return this.#watched.value !== undefined || this.#watched.error !== undefined;
  }

  /** Undefined: there was never a good one. The same object for the same text. */
  read(): ReadNetworks | undefined {
    const { value, error } = this.#watched;
    const read = value === undefined ? undefined : this.#parse(value);
    const fault =
      read !== undefined && 'reason' in read ? `the file ${this.#options.path} ${read.reason}` : undefined;
    this.#setFault(error?.message ?? fault);
    return this.#good;
  }

  get path(): string {
    return this.#options.path;
  }

  /** When it was last read, by the clock of the sources. */
  get readAt(): number | undefined {
    return this.#watched.confirmedAt;
  }

  /** Why the file itself is not used. */
  get problems(): readonly Problem[] {
    const { path, now } = this.#options;
    if (this.#fault === undefined) return [];
    if (now() - this.#fault.since < WRITTEN_IN) return [];
    const kept = this.#good === undefined ? 'nothing of it counts' : 'the last good one counts';
    return [{ severity: 'error', text: path, reason: `${this.#fault.reason}; ${kept}` }];
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watched.close();
  }

  #parse(text: string): ReturnType<typeof readNetworks> {
    if (this.#parsed?.text === text) return this.#parsed.read;
    const read = readNetworks(text);
    this.#parsed = { text, read };
    if ('reason' in read) return read;
    if (text !== this.#persisted) this.#options.persist(text);
    this.#persisted = text;
    this.#good = read;
    return read;
  }

  #setFault(reason: string | undefined): void {
    if (reason === this.#fault?.reason) return;
    clearTimeout(this.#timer);
    if (reason === undefined) {
      this.#fault = undefined;
      return;
    }
    this.#fault = { reason, since: this.#fault?.since ?? this.#options.now() };
    this.#timer = setTimeout(this.#onChange, WRITTEN_IN + 10).unref();
  }
}
