/**
 * The Engine's JSON about containers and images, without what others may fill it with: arguments, labels and
 * variables that do not speak of egresstrator, the output of health checks. Events repeat the labels as well.
 */
import { Readable } from 'node:stream';
import { EngineAnswerError } from './errors.ts';
import { JsonSieve, type Selection } from './json-sieve.ts';

const LEFT_OUT = new Set([
  ...['Args', 'Cmd', 'Command', 'Entrypoint', 'OnBuild', 'Shell', 'Healthcheck', 'Health'],
  ...['ExposedPorts', 'Ports', 'Volumes', 'GraphDriver', 'RootFS', 'ContainerConfig'],
]);

export const SELECTION: Selection = {
  member: (parent, name) => {
    if (parent === 'Labels') return name.startsWith('egresstrator.');
    // An event has all labels among them; of a network's, this is the container that it concerns.
    if (parent === 'Attributes') return name === 'container';
    return !LEFT_OUT.has(name);
  },
  element: (parent, beginning) => parent !== 'Env' || beginning.startsWith('EGRESSTRATOR_'),
  longest: 64 * 1024,
};

/** Bytes of what is left: a list of a thousand containers is 2 MB. */
const MOST = 64 * 1024 * 1024;

/** The same for a stream of events. Ends with the stream, which ends with it. */
export const selectedStream = (stream: Readable): Readable => Readable.from(piecesOf(stream));

async function* piecesOf(stream: Readable): AsyncGenerator<Uint8Array> {
  const sieve = new JsonSieve(SELECTION);
  for await (const piece of stream) {
    // Not a copy: there may be megabytes of what is left out.
    const left = sieve.push(piece instanceof Uint8Array ? piece : Buffer.from(String(piece)));
    if (left.length > 0) yield left;
  }
}

/** Throws an `EngineAnswerError` for an answer that is too long, or no JSON. */
export async function readSelected(stream: Readable, what: string): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const left of piecesOf(stream)) {
    size += left.length;
    if (size > MOST) throw unreadable(what, `it is longer than ${MOST} bytes`);
    pieces.push(left);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    throw unreadable(what, 'it is no JSON, or was cut short');
  }
}

const unreadable = (what: string, why: string): EngineAnswerError =>
  new EngineAnswerError(`The Docker Engine's answer cannot be read: could not ${what}: ${why}.`);
