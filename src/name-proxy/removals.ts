/**
 * Takes elements out of the kernel that no name holds any more, again and again until the kernel has done it.
 */
import { elementKey, type GrantElement } from '../features/names/grant.ts';
import type { GrantSender } from './grant-sender.ts';

export class Removals {
  readonly #sender: Pick<GrantSender, 'remove'>;
  /** Whether somebody holds it again: then it must stay. */
  readonly #isHeld: (element: GrantElement) => boolean;
  readonly #open = new Map<string, GrantElement>();
  #count = 0;

  constructor(sender: Pick<GrantSender, 'remove'>, isHeld: (element: GrantElement) => boolean) {
    this.#sender = sender;
    this.#isHeld = isHeld;
  }

  /** Elements that the kernel still has. */
  get size(): number {
    return this.#open.size;
  }

  /** Elements that were ever to be taken out. */
  get count(): number {
    return this.#count;
  }

  remove(elements: readonly GrantElement[]): void {
    this.#count += elements.length;
    for (const element of elements) {
      this.#open.set(elementKey(element), element);
      void this.#remove(element);
    }
  }

  /** To be called before other grants, after a new text, and about once a second. */
  retry(): void {
    for (const [key, element] of this.#open) {
      if (this.#isHeld(element)) this.#open.delete(key);
      else void this.#remove(element);
    }
  }

  async #remove(element: GrantElement): Promise<void> {
    if (await this.#sender.remove(element)) this.#open.delete(elementKey(element));
  }
}
