/** The image of the lab's workloads: nothing but busybox, with a link for each of its commands. */
import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Header, pack } from 'tar-stream';
import { ensureFiles } from '../apt.ts';
import { run } from '../run.ts';
import { idle, type Recipe } from './import.ts';

// Not any busybox on PATH: this one is linked statically.
const busybox = '/bin/busybox';

export async function workloadRecipe(): Promise<Recipe> {
  await ensureFiles({ '/usr/share/doc/busybox-static': 'busybox-static' });
  const program = readFileSync(busybox);
  const list = await run(busybox, ['--list']);
  const commands = list.split('\n').filter((name) => name !== 'busybox');
  return {
    name: 'workload',
    tag: 'latest',
    ingredients: [createHash('sha256').update(program).digest('hex'), JSON.stringify(entries(commands))],
    changes: ['ENV PATH=/bin', idle],
    makeTar: (file) => writeTar(file, program, commands),
  };
}

async function writeTar(file: string, program: Buffer, commands: readonly string[]): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, createWriteStream(file));
  tar.entry({ name: 'bin/busybox', mode: 0o755 }, program);
  for (const { header, content } of entries(commands)) tar.entry(header, content);
  tar.finalize();
  await written;
}

type EntryHeader = Partial<Header> & Pick<Header, 'name'>;

interface Entry {
  readonly header: EntryHeader;
  readonly content: string;
}

function entries(commands: readonly string[]): readonly Entry[] {
  const links = commands.map((name) => entry({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' }));
  return [
    ...links,
    entry({ name: 'tmp', type: 'directory', mode: 0o1777 }),
    entry({ name: 'root', type: 'directory', mode: 0o700 }),
    entry({ name: 'etc/passwd' }, 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n'),
    entry({ name: 'etc/group' }, 'root:x:0:\nnogroup:x:65534:\n'),
  ];
}

function entry(header: EntryHeader, content = ''): Entry {
  return { header, content };
}
