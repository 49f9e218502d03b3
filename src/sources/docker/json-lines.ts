/**
 * Splits chunks into JSON lines. A line or a character may be split over chunks, and a chunk may hold several lines.
 * The length of a line is limited.
 */

/** The longest accepted line, in characters. */
const longest = 1_000_000;

/** Yields undefined for a line that is too long or not JSON. */
export async function* jsonLines(chunks: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const line of lines(chunks)) yield parse(line);
}

async function* lines(chunks: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += chunk instanceof Uint8Array ? decoder.decode(chunk, { stream: true }) : String(chunk);
    const complete = rest.split('\n');
    rest = (complete.pop() ?? '').slice(0, longest + 1);
    yield* complete.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') yield rest;
}

function parse(line: string): unknown {
  if (line.length > longest) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
