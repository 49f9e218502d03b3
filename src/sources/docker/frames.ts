/**
 * Separates stdout and stderr in the stream of an attached container. A frame has a header of 8 bytes (kind, three
 * zeros, length) and content, and may be split over chunks. At most `most` bytes of each are kept: helpers print
 * little, and a program out of control must not fill our memory.
 */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  /** Something was dropped. */
  readonly truncated: boolean;
}

const headerSize = 8;

export class Frames {
  readonly #most: number;
  readonly #onStdout: ((chunk: Uint8Array) => void) | undefined;
  readonly #kept: Record<'stdout' | 'stderr', { chunks: Uint8Array[]; size: number }> = {
    stdout: { chunks: [], size: 0 },
    stderr: { chunks: [], size: 0 },
  };
  #header = Buffer.alloc(0);
  #left = 0;
  #kind: 'stdout' | 'stderr' = 'stdout';
  #truncated = false;

  /** `onStdout`: gets all of stdout, of which nothing is kept then. */
  constructor(most: number, onStdout?: (chunk: Uint8Array) => void) {
    this.#most = most;
    this.#onStdout = onStdout;
  }

  write(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) rest = this.#left > 0 ? this.#content(rest) : this.#startOfFrame(rest);
  }

  get output(): Output {
    const text = ({ chunks }: { readonly chunks: Uint8Array[] }) => Buffer.concat(chunks).toString('utf8');
    const { stdout, stderr } = this.#kept;
    return { stdout: text(stdout), stderr: text(stderr), truncated: this.#truncated };
  }

  #startOfFrame(chunk: Uint8Array): Uint8Array {
    const missing = headerSize - this.#header.length;
    this.#header = Buffer.concat([this.#header, chunk.subarray(0, missing)]);
    if (this.#header.length === headerSize) {
      this.#kind = this.#header.readUInt8(0) === 2 ? 'stderr' : 'stdout';
      this.#left = this.#header.readUInt32BE(4);
      this.#header = Buffer.alloc(0);
    }
    return chunk.subarray(missing);
  }

  #content(chunk: Uint8Array): Uint8Array {
    const content = chunk.subarray(0, this.#left);
    this.#left -= content.length;
    if (this.#kind === 'stdout' && this.#onStdout !== undefined) this.#onStdout(content);
    else this.#keep(content);
    return chunk.subarray(content.length);
  }

  #keep(content: Uint8Array): void {
    const kept = this.#kept[this.#kind];
    const fits = content.subarray(0, this.#most - kept.size);
    if (fits.length < content.length) this.#truncated = true;
    if (fits.length > 0) kept.chunks.push(fits);
    kept.size += fits.length;
  }
}
