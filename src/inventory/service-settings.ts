/**
 * What a container says of its own services, by the conventions of registrator: SERVICE_NAME, SERVICE_IGNORE, and
 * SERVICE_<port>_NAME and SERVICE_<port>_IGNORE for one port, from its environment and its labels.
 *
 * As registrator has it, settings of the image count like those of the runner, labels count more than variables, and of
 * the characters behind SERVICE_ the case does not matter. Other than there, what one says to ignore is ignored: an image
 * opens no port that its runner keeps closed.
 */
import type { Transport } from './network.ts';

export interface PortSettings {
  /** As written; an empty value counts as not set. */
  readonly name?: string | undefined;
  readonly isIgnored?: boolean;
}

export interface ServiceSettings {
  /** The last part of the image's name, which names a service without SERVICE_NAME. */
  readonly imageName: string;
  /** For all ports. */
  readonly general: PortSettings;
  /** By the container's port. */
  readonly byPort: ReadonlyMap<number, PortSettings>;
  /** The ports that the image or the runner exposes, sorted. */
  readonly exposed: readonly ExposedPort[];
  /** There are more settings than are read, so that they say nothing. */
  readonly isCut: boolean;
}

export interface ExposedPort {
  readonly protocol: Transport;
  readonly port: number;
}

/** The most settings of a container that are read, from its environment and from its labels. */
export const MOST_SERVICE_SETTINGS = 128;
/** The most exposed ports of a container that are read; further ones stay closed. */
export const MOST_EXPOSED_PORTS = 4_096;

const SETTING = /^SERVICE_(?:([1-9]\d{0,4})_)?(NAME|IGNORE)$/i;

/** `name`: of a variable or a label. */
export const isServiceSetting = (name: string): boolean => partsOf(name) !== undefined;

/** In the order in which they count: a later name replaces an earlier one. */
export function serviceSettings(
  pairs: Iterable<readonly [name: string, value: string]>,
): Pick<ServiceSettings, 'general' | 'byPort'> {
  const byPort = new Map<number, PortSettings>();
  let general: PortSettings = {};
  for (const [name, value] of pairs) {
    const parts = partsOf(name);
    if (parts === undefined) continue;
    if (parts.word === 'ignore' && value === '') continue;
    const setting = parts.word === 'name' ? { name: value } : { isIgnored: true };
    if (parts.port === undefined) general = { ...general, ...setting };
    else byPort.set(parts.port, { ...byPort.get(parts.port), ...setting });
  }
  return { general, byPort };
}

/** What counts for a port; `isOwn`: its name is of this port alone. */
export function settingsOfPort({ general, byPort }: ServiceSettings, port: number) {
  const own = byPort.get(port);
  return {
    name: (own?.name ?? general.name) || undefined,
    isOwn: Boolean(own?.name),
    isIgnored: general.isIgnored === true || own?.isIgnored === true,
  };
}

function partsOf(name: string): { port: number | undefined; word: 'name' | 'ignore' } | undefined {
  const [, port, word] = name.startsWith('SERVICE_') ? (SETTING.exec(name) ?? []) : [];
  if (word === undefined) return undefined;
  return {
    port: port === undefined ? undefined : Number(port),
    word: word.toLowerCase() === 'name' ? 'name' : 'ignore',
  };
}
