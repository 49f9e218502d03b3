/** Files out of archives as the Engine sends them: links, missing files, others than files. */
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readFileOf } from '../../../../src/sources/docker/archive.ts';
import { archiveOf, type File } from './fake-archive.ts';
import { FakeEngine, httpError } from './fake-engine.ts';

/** The Engine of a container with these files, by path. */
function read(files: Readonly<Record<string, File>>): Promise<string | undefined> {
  const engine = new FakeEngine();
  engine.archive = async (_id, path) => {
    const file = files[path];
    if (file === undefined) throw httpError(404, `Could not find the file ${path} in container c`);
    return archiveOf(file);
  };
  return readFileOf(engine, 'c', '/etc/resolv.conf');
}

test('a file', async () => {
  expect(await read({ '/etc/resolv.conf': 'nameserver 10.0.0.1\n' })).toBe('nameserver 10.0.0.1\n');
});

test('no such file, or a link to nowhere', async () => {
  expect(await read({})).toBeUndefined();
  expect(await read({ '/etc/resolv.conf': { linkTo: 'gone' } })).toBeUndefined();
});

test.each([
  ['../run/dns/conf', '/run/dns/conf'],
  ['/run/dns/conf', '/run/dns/conf'],
  ['resolv.real', '/etc/resolv.real'],
  ['../../../../run/conf', '/run/conf'],
])('a link to %s', async (linkTo, target) => {
  expect(await read({ '/etc/resolv.conf': { linkTo }, [target]: 'text' })).toBe('text');
});

test('links in a circle', async () => {
  const files = { '/etc/resolv.conf': { linkTo: '/a' }, '/a': { linkTo: '/etc/resolv.conf' } };
  await expect(read(files)).rejects.toThrow('more than 8 links');
});

test('a file that is far too long is read in part', async () => {
  expect(await read({ '/etc/resolv.conf': 'x'.repeat(1_000_000) })).toHaveLength(65_536);
});

test('an archive that is none', async () => {
  const engine = new FakeEngine();
  engine.archive = async () => Readable.from([Buffer.alloc(2048, 'x')]);
  await expect(readFileOf(engine, 'c', '/etc/resolv.conf')).rejects.toThrow('Cannot read /etc/resolv.conf');
});
