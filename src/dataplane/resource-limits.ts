/**
 * The limits of one run, by the size of its input. Measured with nft 1.0.6: 10,000 elements have 340 kB of text and
 * take 24 MB, 100,000 take 204 MB (60 bytes for each byte), and several seconds on a busy machine.
 */
export interface ResourceLimits {
  /** Milliseconds for a run without input. */
  readonly limit: number;
  /** Bytes of memory for a run without input. */
  readonly memory: number;
}

export const defaultLimits: ResourceLimits = { limit: 30_000, memory: 256 * 2 ** 20 };

const millisecondsPerByte = 30 / 1000;
const memoryPerByte = 120;

export function limitsFor(text: string | undefined, { limit, memory }: ResourceLimits): ResourceLimits {
  const size = text?.length ?? 0;
  return {
    limit: Math.ceil(limit + size * millisecondsPerByte),
    memory: Math.ceil(memory + size * memoryPerByte),
  };
}
