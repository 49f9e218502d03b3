/** Archives as the Engine sends them: one file, or one link. */
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';

export type File = string | { readonly linkTo: string };

export function archiveOf(file: File): Readable {
  const archive = pack();
  if (typeof file !== 'string') archive.entry({ name: 'x', type: 'symlink', linkname: file.linkTo });
  else archive.entry({ name: 'x' }, file);
  archive.finalize();
  return Readable.from(archive);
}
