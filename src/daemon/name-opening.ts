/**
 * Opens the sockets of one namespace: again and again, with pauses, until it succeeds.
 */
import { type Backoff, delay } from '../common/backoff.ts';
import { LoadError, messageOf } from '../common/errors.ts';

export interface OpeningPorts<Sockets> {
  /** Throws an error that says why there are none; undefined if nobody wants them any more. */
  readonly open: () => Promise<Sockets | undefined>;
  readonly opened: (sockets: Sockets) => void;
  /** Called after each failure that may last. `isNew`: the reason is another one than before. */
  readonly failed: (reason: string, isNew: boolean) => void;
  /** Pauses between two failures. */
  readonly retry: Backoff;
  readonly random: () => number;
}

export class NameOpening<Sockets> {
  readonly #ports: OpeningPorts<Sockets>;
  #attempt: Promise<void>;
  #error: string | undefined;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(ports: OpeningPorts<Sockets>) {
    this.#ports = ports;
    this.#attempt = this.#open();
  }

  /** Resolves when the present attempt has ended, in whatever way. */
  get attempt(): Promise<void> {
    return this.#attempt;
  }

  /** Why the last attempt failed; undefined if it did not. */
  get error(): string | undefined {
    return this.#error;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #open(): Promise<void> {
    try {
      const sockets = await this.#ports.open();
      if (this.#isClosed || sockets === undefined) return;
      [this.#error, this.#failures] = [undefined, 0];
      this.#ports.opened(sockets);
    } catch (error) {
      if (!this.#isClosed) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const { retry, random, failed } = this.#ports;
    this.#failures++;
    this.#timer = setTimeout(
      () => {
        this.#attempt = this.#open();
      },
      delay(this.#failures, retry, random),
    );
    const isGone = error instanceof LoadError && error.gone;
    // A container that ends is not told about: it is not listed any more in a moment.
    if (isGone && this.#failures === 1) return;
    const reason = isGone ? UNSEEN : messageOf(error);
    const isNew = this.#error !== reason;
    this.#error = reason;
    failed(reason, isNew);
  }
}

/** A running container whose process is not there is one that this process does not see. */
const UNSEEN =
  'the controller does not see the processes of the host, so its container has no DNS; run a controller that is in a container with --pid host';
