/**
 * Drops the parts of the Engine's JSON that an image can fill: arguments, other labels and variables, and the output
 * of health checks. Events repeat the labels as well.
 */
import { Readable } from 'node:stream';
import {
  isServiceSetting,
  MOST_EXPOSED_PORTS,
  MOST_SERVICE_SETTINGS,
} from '../../inventory/service-settings.ts';
import { SETTINGS } from '../../inventory/workload.ts';
import { EngineAnswerError } from './errors.ts';
import { helperLabel } from './image.ts';
import { JsonFilter, type Selection } from './json-filter.ts';
import { OUR_LABELS, PROJECT_LABEL } from './labels.ts';
import { EXPOSED_PORT } from './service-settings.ts';

const LEFT_OUT = new Set([
  ...['Args', 'Cmd', 'Command', 'Entrypoint', 'OnBuild', 'Shell', 'Healthcheck', 'Health'],
  ...['ExposedPorts', 'Ports', 'Volumes', 'GraphDriver', 'RootFS', 'ContainerConfig'],
]);

/** Compared by their full names: an image may have megabytes of labels and variables with the same prefix. */
const LABELS = new Set<string>([
  ...SETTINGS.map(({ label }) => label),
  ...OUR_LABELS,
  helperLabel,
  PROJECT_LABEL,
]);
const VARIABLES = SETTINGS.map(({ variable }) => `${variable}=`);

const SELECTION: Selection = {
  member: (parent, name) => {
    if (parent === 'Labels') return LABELS.has(name);
    // Events of containers list all labels here. Events of networks list the container.
    if (parent === 'Attributes') return name === 'container';
    return !LEFT_OUT.has(name) || (parent === 'NetworkSettings' && name === 'Ports');
  },
  element: (parent, beginning, index) =>
    parent !== 'Env' || (index < MOST_VARIABLES && VARIABLES.some((name) => beginning.startsWith(name))),
  // Any accepted list of keys is shorter, however it is escaped.
  longest: 32 * 1024,
};

/** The container's own variables come first. */
const MOST_VARIABLES = 64;

/**
 * For a container of which services are asked as well. Their settings take no place of ours: of either kind some are
 * kept, however many there are of the other.
 */
export const SERVICE_SELECTION: Selection = {
  ...SELECTION,
  member: (parent, name, index) => {
    if (parent === 'Config' && name === 'ExposedPorts') return true;
    if (parent === 'ExposedPorts') return index < MOST_EXPOSED_PORTS && EXPOSED_PORT.test(name);
    if (parent === 'Labels' && name.startsWith('SERVICE_'))
      return index < MOST_SERVICE_SETTINGS && isServiceSetting(name);
    return SELECTION.member(parent, name, index);
  },
  element: (parent, beginning, index) => {
    if (parent !== 'Env') return SELECTION.element(parent, beginning, index);
    if (!beginning.startsWith('SERVICE_'))
      return SELECTION.element(parent, beginning, Math.max(0, index - MOST_SERVICE_SETTINGS));
    const [name = ''] = beginning.split('=', 1);
    return index < MOST_SERVICE_SETTINGS && isServiceSetting(name);
  },
};

/** For the list of all containers: settings are read from each container. */
export const LIST_SELECTION: Selection = {
  ...SELECTION,
  member: (parent, name, index) => parent !== 'Labels' && SELECTION.member(parent, name, index),
};

/** Of networks: who is in one is read from each container. */
export const NETWORK_SELECTION: Selection = {
  ...SELECTION,
  member: (parent, name, index) => name !== 'Containers' && SELECTION.member(parent, name, index),
};

/** The most bytes after filtering: a list of a thousand containers has 2 MB. */
const MOST = 64 * 1024 * 1024;

/** The same for a stream of events, which also ends if the reader stops. */
export const selectedStream = (stream: Readable): Readable => Readable.from(piecesOf(stream));

async function* piecesOf(stream: Readable, selection = SELECTION): AsyncGenerator<Uint8Array> {
  const filter = new JsonFilter(selection);
  for await (const piece of stream) {
    // No copy: most of the data is dropped.
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
