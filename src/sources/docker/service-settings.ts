/**
 * Parses what a container says of its services from the Engine's inspect JSON, within limits: an image may have any
 * number of variables, labels and exposed ports, and values of any length.
 */
import {
  type ExposedPort,
  MOST_EXPOSED_PORTS,
  MOST_SERVICE_SETTINGS,
  type ServiceSettings,
  serviceSettings,
} from '../../inventory/service-settings.ts';

interface Config {
  /** `NAME=value` lines. */
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** `80/tcp` */
  readonly exposedPorts: readonly string[];
  readonly image: string;
}

/** All lists as `SERVICE_SELECTION` leaves them: a full one may have lost something. */
export function serviceSettingsFrom({ environment, labels, exposedPorts, image }: Config): ServiceSettings {
  const named = Object.entries(labels);
  return {
    imageName: cut((image.split('/').at(-1) ?? '').replace(/[:@].*$/s, '')),
    ...serviceSettings([...environment.map(pairOf), ...named].map(([name, value]) => [name, cut(value)])),
    exposed: exposedPorts
      .slice(0, MOST_EXPOSED_PORTS)
      .flatMap((port) => exposedPort(port) ?? [])
      .sort(byPort),
    isCut: environment.length >= MOST_SERVICE_SETTINGS || named.length >= MOST_SERVICE_SETTINGS,
  };
}

function pairOf(line: string): readonly [string, string] {
  const at = line.indexOf('=');
  return at < 0 ? ['', ''] : [line.slice(0, at), line.slice(at + 1)];
}

/** Longer than any name of a service in Consul that DNS can take. */
const LONGEST = 255;

/** A copy, because a substring keeps the whole string in memory. */
const cut = (text: string): string =>
  text.length > LONGEST ? Buffer.from(text.slice(0, LONGEST)).toString() : text;

export const EXPOSED_PORT = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/;

function exposedPort(text: string): ExposedPort | undefined {
  const [, number, protocol] = EXPOSED_PORT.exec(text) ?? [];
  const port = Number(number);
  if (!(port >= 1 && port <= 65_535)) return undefined;
  return { protocol: protocol === 'udp' || protocol === 'sctp' ? protocol : 'tcp', port };
}

const byPort = (one: ExposedPort, other: ExposedPort): number =>
  one.port - other.port || (one.protocol < other.protocol ? -1 : 1);
