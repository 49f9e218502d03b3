/**
 * The Engine's JSON about containers and images, without what others may fill it with: arguments, labels and
 * variables that do not speak of egresstrator, the output of health checks.
 */
import type { Readable } from 'node:stream';
import { EngineAnswerError } from './errors.ts';
import { JsonSieve, type Selection } from './json-sieve.ts';

const LEFT_OUT = new Set([
  ...['Args', 'Cmd', 'Command', 'Entrypoint', 'OnBuild', 'Shell', 'Healthcheck', 'Health'],
  ...['ExposedPorts', 'Ports', 'Volumes', 'GraphDriver', 'RootFS', 'ContainerConfig'],
]);

export const SELECTION: Selection = {
  member: (parent, name) => (parent === 'Labels' ? name.startsWith('egresstrator.') : !LEFT_OUT.has(name)),
  element: (parent, beginning) => parent !== 'Env' || beginning.startsWith('EGRESSTRATOR_'),
  longest: 64 * 1024,
};

/** Bytes of what is left: a list of a thousand containers is 2 MB. */
const MOST = 64 * 1024 * 1024;

/** Throws an `EngineAnswerError` for an answer that is too long, or no JSON. */
export async function readSelected(stream: Readable, what: string): Promise<unknown> {
  const sieve = new JsonSieve(SELECTION);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream) {
    const left = sieve.push(Buffer.from(piece));
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
