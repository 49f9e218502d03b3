/** A file that is replaced in every way in which people and programs replace files, in a real folder. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WatchedFile, type WatchedFileSettings } from '../../../../src/sources/files/watched-file.ts';

let folder = '';
let path = '';

/** Longer than a test: what is found was found by an event. */
const NEVER = 10 * 60_000;

beforeEach(() => {
  const base = mkdtempSync(join(tmpdir(), 'egresstrator-watched-'));
  folder = join(base, 'config');
  path = join(folder, 'networks.json');
  mkdirSync(folder);
  return () => rmSync(base, { recursive: true });
});

async function watched(settings: Partial<WatchedFileSettings> = {}) {
  const changes: (string | undefined)[] = [];
  const file: WatchedFile = new WatchedFile(
    path,
    { steadyNow: () => 7, pause: 20, poll: NEVER, pollUnwatched: NEVER, ...settings },
    () => changes.push(file.error?.message.replaceAll(path, 'F') ?? file.value),
  );
  onTestFinished(() => file.close());
  await vi.waitFor(() => expect(changes).toHaveLength(1), WAIT);
  return { file, changes };
}

const WAIT = { timeout: 20_000, interval: 5 };

const becomes = (file: WatchedFile, text: string) =>
  vi.waitFor(() => expect([file.error?.message, file.value]).toEqual([undefined, text]), WAIT);

const renameOver = (text: string) => {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
};

/** As Kubernetes makes it: the file is a link into a folder that is a link. */
const linkTo = (name: string, text: string) => {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'networks.json'), text);
  symlinkSync(name, join(folder, '..new'));
  renameSync(join(folder, '..new'), join(folder, '..data'));
};

describe('a watched file', () => {
  it('has its text, and when it was confirmed', async () => {
    writeFileSync(path, 'one');
    const { file } = await watched();
    expect([file.value, file.error, file.confirmedAt]).toEqual(['one', undefined, 7]);
  });

  it.each<readonly [string, (text: string) => void]>([
    ['is written in place', (text) => writeFileSync(path, text)],
    ['is renamed over', renameOver],
    [
      'is removed and made again',
      (text) => {
        rmSync(path);
        writeFileSync(path, text);
      },
    ],
    [
      'is replaced with its folder',
      (text) => {
        renameSync(folder, `${folder}.old`);
        mkdirSync(folder);
        writeFileSync(path, text);
      },
    ],
    [
      'is replaced with its folder, which was removed',
      (text) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
        writeFileSync(path, text);
      },
    ],
  ])('is read again when it %s, each time', async (_, write) => {
    writeFileSync(path, 'one');
    const { file } = await watched();
    for (const text of ['two', 'three']) {
      write(text);
      await becomes(file, text);
      writeFileSync(path, `${text}, and in place`);
      await becomes(file, `${text}, and in place`);
      rmSync(`${folder}.old`, { recursive: true, force: true });
    }
  });

  it('is read again when a link on the way to it is swapped', async () => {
    linkTo('a', 'one');
    symlinkSync('..data/networks.json', path);
    const { file } = await watched();
    for (const [name, text] of [
      ['b', 'two'],
      ['c', 'three'],
    ] as const) {
      linkTo(name, text);
      await becomes(file, text);
    }
    writeFileSync(join(folder, 'c', 'networks.json'), 'four');
    await becomes(file, 'four');
  });

  it('is read again when its folder is a link that is swapped', async () => {
    const base = dirname(folder);
    rmSync(folder, { recursive: true });
    const point = (name: string, text: string) => {
      mkdirSync(join(base, name));
      writeFileSync(join(base, name, 'networks.json'), text);
      symlinkSync(name, join(base, 'next'));
      renameSync(join(base, 'next'), folder);
    };
    point('a', 'one');
    const { file } = await watched();
    point('b', 'two');
    await becomes(file, 'two');
  });

  it('keeps its text while it cannot be read, and says so once', async () => {
    writeFileSync(path, 'one');
    const { file, changes } = await watched();
    rmSync(path);
    await vi.waitFor(() => expect(changes).toHaveLength(2), WAIT);
    expect(changes.at(-1)).toMatch(/^the file F cannot be read: ENOENT/);
    expect(file.value).toBe('one');
    writeFileSync(`${path}.other`, '');
    renameOver('one');
    await becomes(file, 'one');
    expect(changes).toHaveLength(3);
  });

  it('may come later, with its folder', async () => {
    rmSync(folder, { recursive: true });
    const { file } = await watched();
    expect(file.value).toBeUndefined();
    mkdirSync(folder);
    writeFileSync(path, 'one');
    await becomes(file, 'one');
  });

  it('with the same text is no change', async () => {
    writeFileSync(path, 'one');
    const { file, changes } = await watched();
    for (let index = 0; index < 5; index++) {
      renameOver('one');
      writeFileSync(join(folder, `other${index}`), 'x');
    }
    renameOver('two');
    await becomes(file, 'two');
    expect(changes).toEqual(['one', 'two']);
  });

  it('is read soon after a first read that came too early', async () => {
    writeFileSync(path, 'one');
    const { file } = await watched({ pause: NEVER });
    for (const text of ['two', 'three']) {
      writeFileSync(`${path}.new`, text);
      await new Promise((done) => setTimeout(done, 30));
      renameSync(`${path}.new`, path);
      await becomes(file, text);
    }
  });

  it('that is written in parts ends with the whole text', async () => {
    writeFileSync(path, 'one');
    const { file } = await watched();
    truncateSync(path);
    for (const part of 'a longer text'.split('')) {
      appendFileSync(path, part);
      await new Promise((done) => setTimeout(done, 5));
    }
    await becomes(file, 'a longer text');
  });

  it.each<readonly [string, () => void, RegExp]>([
    ['a folder', () => mkdirSync(path), /it is a folder; name the file in it/],
    ['a named pipe', () => execFileSync('mkfifo', [path]), /no regular file/],
    [
      'too large',
      () => {
        writeFileSync(path, '');
        truncateSync(path, 17 * 1024 * 1024);
      },
      /more than 16 MiB/,
    ],
    ['a link to itself', () => symlinkSync(path, path), /ELOOP/],
  ])('that is %s is an error', async (_, make, message) => {
    make();
    const { file, changes } = await watched();
    expect(changes).toEqual([expect.stringMatching(message)]);
    renameSync(path, `${path}.old`);
    writeFileSync(path, 'one');
    await becomes(file, 'one');
  });

  it('is read without an event too', async () => {
    const deep = join(dirname(folder), 'deep');
    for (const name of ['a', 'b']) {
      mkdirSync(join(deep, name), { recursive: true });
      writeFileSync(join(deep, name, 'networks.json'), name);
    }
    rmSync(folder, { recursive: true });
    // The link that is swapped is in a folder that is not watched.
    symlinkSync('a', join(deep, 'link'));
    symlinkSync('deep/link', folder);
    const { file } = await watched({ poll: 50 });
    symlinkSync('b', join(deep, 'next'));
    renameSync(join(deep, 'next'), join(deep, 'link'));
    await becomes(file, 'b');
  });

  it('calls back no more once it is closed', async () => {
    writeFileSync(path, 'one');
    const { file, changes } = await watched();
    file.close();
    renameOver('two');
    await new Promise((done) => setTimeout(done, 100));
    expect(changes).toEqual(['one']);
  });
});
