/** What the controller makes of changes that the kernel tells of, and of a watch that ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { RuleWatch } from '../../../src/daemon/rule-watch.ts';
import type { RuleChange } from '../../../src/dataplane/other-firewalls.ts';
import { FakeLog } from '../../support/fakes.ts';

/** Longer than changes count as one. */
const LATER = 150;

/** A watch that tells what the test says, and ends when the test says. */
class Kernel {
  lost = 0;
  moved = 0;
  starts = 0;
  /** Undefined: it watches until it is closed. */
  ending: 'by itself' | Error | undefined;
  #tell: (change: RuleChange) => void = () => {};
  #end: (error?: Error) => void = () => {};
  readonly log = new FakeLog();
  readonly watch = new RuleWatch({
    ...{ log: this.log, retry: { first: 2, most: 2 }, random: () => 0.5 },
    onLost: () => {
      this.lost += 1;
    },
    onMoved: () => {
      this.moved += 1;
    },
    watch: (onChange, signal) => {
      this.starts += 1;
      if (this.ending instanceof Error) return Promise.reject(this.ending);
      if (this.ending === 'by itself') return Promise.resolve();
      this.#tell = onChange;
      return new Promise((resolve, reject) => {
        this.#end = (error) => (error === undefined ? resolve() : reject(error));
        signal.addEventListener('abort', () => resolve());
      });
    },
  });

  tell(...changes: readonly RuleChange[]): void {
    for (const change of changes) this.#tell(change);
  }

  end(error?: Error): void {
    this.#end(error);
  }

  get looks(): readonly [lost: number, moved: number] {
    return [this.lost, this.moved];
  }
}

let kernel: Kernel;
const started = () => {
  kernel = new Kernel();
  kernel.watch.start();
  return kernel;
};
afterEach(() => kernel.watch.close());

test.each<[string, readonly RuleChange[], readonly [number, number]]>([
  ['lost rules', ['gone', 'gone', 'gone'], [1, 1]],
  ['lost rules and a changed chain', ['passages', 'gone', 'passages'], [1, 1]],
  ['a changed chain, over and over', Array(50).fill('passages'), [0, 1]],
  ['a load, which removes all rules and adds new ones', ['gone', 'gone', 'table', 'table'], [0, 0]],
  ['a load, and a flush right after it', ['gone', 'table', 'gone'], [1, 1]],
])('%s cause one look at most', async (_, changes, looks) => {
  const { watch } = started();
  watch.start();
  kernel.tell(...changes);
  expect(kernel.looks).toEqual([0, 0]);
  await sleep(LATER);
  expect([kernel.looks, kernel.starts]).toEqual([looks, 1]);
});

test('a second burst is looked at again', async () => {
  started();
  kernel.tell('gone');
  await vi.waitFor(() => expect(kernel.looks).toEqual([1, 1]), 10_000);
  kernel.tell('passages');
  await vi.waitFor(() => expect(kernel.looks).toEqual([1, 2]), 10_000);
});

test('a watch that ends starts again, and all is looked at, as nobody has listened', async () => {
  started();
  kernel.end();
  await vi.waitFor(() => expect([kernel.starts, kernel.looks]).toEqual([2, [1, 1]]), 10_000);
  kernel.tell('gone');
  await vi.waitFor(() => expect(kernel.looks).toEqual([2, 2]), 10_000);
  expect(kernel.log.lines).toEqual([]);
});

test('a failure is reported once, and again after the watch has worked', async () => {
  started();
  const warnings = () => kernel.log.lines.map(({ level, fields }) => [level, fields]);
  const failed = ['warn', { error: 'no nft here' }];
  kernel.ending = new Error('no nft here');
  kernel.end();
  await vi.waitFor(() => expect(kernel.starts).toBeGreaterThan(5), 10_000);
  expect(warnings()).toEqual([failed]);
  kernel.ending = undefined;
  const { starts } = kernel;
  await vi.waitFor(() => expect(kernel.starts).toBeGreaterThan(starts), 10_000);
  kernel.tell('table');
  kernel.end(new Error('no nft here'));
  await vi.waitFor(() => expect(warnings()).toEqual([failed, failed]), 10_000);
});

test('nothing is looked at after the end', async () => {
  const { watch } = started();
  kernel.tell('gone');
  await watch.close();
  watch.start();
  await sleep(LATER);
  expect([kernel.looks, kernel.starts]).toEqual([[0, 0], 1]);
});
