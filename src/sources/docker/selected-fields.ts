/**
 * Selects fields of the Engine's JSON, without parts that an image can fill: arguments, other labels and variables,
 * the output of health checks. Events repeat the labels as well.
 */
import { Readable } from 'node:stream';
import { SETTINGS } from '../../inventory/workload.ts';
import { EngineAnswerError } from './errors.ts';
import { helperLabel } from './image.ts';
import { JsonFilter, type Selection } from './json-filter.ts';
import { OUR_LABELS } from './labels.ts';

const LEFT_OUT = new Set([
  ...['Args', 'Cmd', 'Command', 'Entrypoint', 'OnBuild', 'Shell', 'Healthcheck', 'Health'],
  ...['ExposedPorts', 'Ports', 'Volumes', 'GraphDriver', 'RootFS', 'ContainerConfig'],
]);

/** By their whole names: an image may have megabytes of labels and variables that only begin like ours. */
const LABELS = new Set<string>([...SETTINGS.map(({ label }) => label), ...OUR_LABELS, helperLabel]);
const VARIABLES = SETTINGS.map(({ variable }) => `${variable}=`);

const SELECTION: Selection = {
  member: (parent, name) => {
    if (parent === 'Labels') return LABELS.has(name);
    // An event has all labels among them; of a network's, this is the container that it concerns.
    if (parent === 'Attributes') return name === 'container';
    return !LEFT_OUT.has(name) || (parent === 'NetworkSettings' && name === 'Ports');
  },
  element: (parent, beginning, index) =>
    parent !== 'Env' || (index < MOST_VARIABLES && VARIABLES.some((name) => beginning.startsWith(name))),
  // A list of keys that is read is shorter, whatever escapes it is written with.
  longest: 32 * 1024,
};

/** What a container says by itself comes first. */
const MOST_VARIABLES = 64;

/** Of all containers: what they say is read from each. */
export const LIST_SELECTION: Selection = {
  ...SELECTION,
  member: (parent, name) => parent !== 'Labels' && SELECTION.member(parent, name),
};

/** Of networks: who is in one is read from each container. */
export const NETWORK_SELECTION: Selection = {
  ...SELECTION,
  member: (parent, name) => name !== 'Containers' && SELECTION.member(parent, name),
};

/** Bytes of what is left: a list of a thousand containers is 2 MB. */
const MOST = 64 * 1024 * 1024;

/** The same for a stream of events. Ends with the stream, which ends with it. */
export const selectedStream = (stream: Readable): Readable => Readable.from(piecesOf(stream));

async function* piecesOf(stream: Readable, selection = SELECTION): AsyncGenerator<Uint8Array> {
  const filter = new JsonFilter(selection);
  for await (const piece of stream) {
    // Not a copy: there may be megabytes of what is left out.
    const left = filter.push(piece instanceof Uint8Array ? piece : Buffer.from(String(piece)));
    if (left.length > 0) yield left;
  }
}

/** Throws an `EngineAnswerError` for an answer that is too long, or no JSON. */
export async function readSelected(
  stream: Readable,
  what: string,
  selection: Selection = SELECTION,
): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const left of piecesOf(stream, selection)) {
    size += left.length;
    if (size > MOST) throw unreadable(what, `it is longer than ${MOST} bytes`);
    pieces.push(left);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    throw unreadable(what, 'it is not JSON, or incomplete');
  }
}

const unreadable = (what: string, why: string): EngineAnswerError =>
  new EngineAnswerError(`The Docker Engine's answer cannot be read: could not ${what}: ${why}.`);
