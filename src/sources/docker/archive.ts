/**
 * Reads a small file of a container through the Engine's archive call. This works for images without a shell, and for
 * files that the Engine mounts itself, such as /etc/resolv.conf. Only for our own containers: the Engine keeps a
 * container locked while it reads, and a workload can make that last (resolv-conf-probe.ts).
 */
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { EngineError, messageOf } from '../../common/errors.ts';
import { withDeadline } from './deadline.ts';
import type { Engine } from './engine.ts';
import { isHttpError } from './errors.ts';

const mostLinks = 8;
const mostBytes = 64 * 1024;
/** Milliseconds. */
const limit = 10_000;

/** Undefined if there is no such file. Links are followed inside the container. */
export async function readFileOf(engine: Engine, id: string, path: string): Promise<string | undefined> {
  let at = path;
  for (let links = 0; links < mostLinks; links++) {
    const entry = await firstEntry(engine, id, at);
    if (entry === undefined || typeof entry === 'string') return entry;
    at = posix.resolve(posix.dirname(at), entry.linkTo);
  }
  throw new EngineError(`Cannot read ${path} of container ${id}: more than ${mostLinks} links.`);
}

type Entry = string | { readonly linkTo: string } | undefined;

async function firstEntry(engine: Engine, id: string, path: string): Promise<Entry> {
  try {
    return await withDeadline(limit, `read ${path} of container ${id}`, async (signal) => {
      const archive = await engine.archive(id, path);
      signal.addEventListener('abort', () => archive.destroy());
      return untar(archive);
    });
  } catch (error) {
    if (isHttpError(error, 404) && !error.detail.includes('No such container: ')) return undefined;
    if (error instanceof EngineError) throw error;
    throw new EngineError(`Cannot read ${path} of container ${id}: ${messageOf(error)}.`, { cause: error });
  }
}

async function untar(archive: Readable): Promise<Entry> {
  const parser = extract();
  archive.on('error', (error) => parser.destroy(error));
  archive.pipe(parser);
  try {
    for await (const entry of parser) {
      const { type, linkname } = entry.header;
      if (type === 'symlink' && linkname) return { linkTo: linkname };
      return type === 'file' ? await text(entry) : undefined;
    }
    return undefined;
  } finally {
    archive.destroy();
  }
}

/** The start of the file; the rest of a file that is longer than any resolv.conf is dropped. */
async function text(entry: AsyncIterable<unknown>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of entry) {
    if (!(chunk instanceof Uint8Array)) continue;
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, mostBytes);
}
