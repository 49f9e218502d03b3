/**
 * How people log in: by a link that works once, or by the token of a file.
 */
import { isSameSecret } from './sessions.ts';

export interface Login {
  /** True if the token is right. A link is then used up. */
  accepts(token: string): boolean;
  /**
   * A person may have thought it up, so guesses are limited. A link cannot be guessed: others on this host, who come from
   * the same address, must not be able to lock people out by wrong ones.
   */
  readonly isGuessable: boolean;
  /** What a person must do to get in. */
  readonly hint: string;
}

export class TokenLogin implements Login {
  readonly isGuessable = true;
  readonly hint = 'log in with the token in the file of --page-token-file';
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  accepts(token: string): boolean {
    return isSameSecret(token, this.#token);
  }
}

export interface LinkLoginOptions {
  secret(): string;
  /** Prints the link of a token. */
  print(token: string): void;
}

export class LinkLogin implements Login {
  readonly isGuessable = false;
  readonly hint =
    'open the newest address that `egresstrator page` has printed: each works once, for 12 hours at most';
  readonly #options: LinkLoginOptions;
  #token: string;

  constructor(options: LinkLoginOptions) {
    this.#options = options;
    this.#token = options.secret();
  }

  accepts(token: string): boolean {
    if (!isSameSecret(token, this.#token)) return false;
    this.renew();
    return true;
  }

  print(): void {
    this.#options.print(this.#token);
  }

  /** The last link does not work any more, and a new one is printed. */
  renew(): void {
    this.#token = this.#options.secret();
    this.print();
  }
}
