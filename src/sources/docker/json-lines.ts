/**
 * JSON lines out of chunks: a line may come in pieces, a chunk may hold several lines, and a character may
 * be cut in two. Bounded, as the other side decides how long a line is.
 */

/** Longest line that is read, in characters. */
const longest = 1_000_000;

/** A line that is no JSON, or too long, is `undefined`: something was said and was not understood. */
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
