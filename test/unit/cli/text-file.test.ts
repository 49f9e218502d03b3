/**
 * Texts that commands are given: what is no file of text is rejected, and keeps no command waiting.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readText } from '../../../src/cli/text-file.ts';

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'egt-text-'));
  writeFileSync(at('plain'), 'für');
  execFileSync('mkfifo', [at('pipe')]);
  writeFileSync(at('large'), '');
  truncateSync(at('large'), 50 * 1024 * 1024);
  symlinkSync('/dev/zero', at('zero'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a file that is given to a command', () => {
  it.each([
    ['pipe', 'it is no regular file'],
    ['zero', 'it is no regular file'],
    ['.', 'it is a folder; name the file in it'],
    ['large', 'it has more than 16 MiB'],
    ['none', 'ENOENT'],
  ])('that is none is rejected: %s', async (name, reason) => {
    await expect(readText(at(name))).rejects.toThrow(`the file ${at(name)} cannot be read: ${reason}`);
  });

  it('is read by its path, or by the number of an open one', async () => {
    expect(await readText(at('plain'))).toBe('für');
    const open = openSync(at('plain'), 'r');
    expect(await readText(`/dev/fd/${open}`)).toBe('für');
    closeSync(open);
  });

  it('has an end, also as a stream', async () => {
    const open = openSync('/dev/zero', 'r');
    await expect(readText(`/dev/fd/${open}`)).rejects.toThrow('it has more than 16 MiB');
    closeSync(open);
  });
});
