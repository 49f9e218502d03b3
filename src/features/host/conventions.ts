/**
 * Services by registrator's conventions, without a registry: a container's published ports are its services, unless it
 * says otherwise.
 */
import type { Problem } from '../../common/problem.ts';
import type { Container } from '../../inventory/container.ts';
import { type ExposedPort, type ServiceSettings, settingsOfPort } from '../../inventory/service-settings.ts';
import { isLoopback } from './forwards.ts';
import type { FoundService } from './ports.ts';

/** As registrator's options of the same names. */
export interface Conventions {
  /** Ports that are only exposed are services too. */
  readonly isInternal: boolean;
  /** Only ports with a SERVICE_NAME are services. */
  readonly isExplicit: boolean;
}

export interface ConventionalServices {
  readonly found: readonly FoundService[];
  readonly problems: readonly Problem[];
}

/** `guarded`: those on guarded bridges. Others may share their namespaces. */
export function conventionalServices(
  containers: Iterable<Container>,
  guarded: readonly Container[],
  conventions: Conventions,
): ConventionalServices {
  const byId = new Map(guarded.map((one) => [one.id, one]));
  const candidates = [...containers].flatMap((container) => {
    const target = byId.get(namespaceOf(container));
    const { services: settings } = container;
    return target === undefined || settings === undefined ? [] : [{ container, target, settings }];
  });
  return {
    found: candidates.flatMap((one) => servicesOf(one, conventions)),
    problems: candidates.flatMap(({ container, settings }) => (settings.isCut ? [tooMany(container)] : [])),
  };
}

/** The id of the container whose addresses it has. */
const namespaceOf = ({ id, network }: Container): string =>
  network.kind === 'container' ? (network.root ?? network.owner) : id;

/** A container with settings of services. */
interface Candidate {
  readonly container: Container;
  /** Who has the addresses: the container itself, or the one whose namespace it shares. */
  readonly target: Container;
  readonly settings: ServiceSettings;
}

function servicesOf(
  { container, target, settings }: Candidate,
  conventions: Conventions,
): readonly FoundService[] {
  if (settings.isCut) return [];
  const ports = servicePorts(container, settings, conventions);
  return ports.flatMap(({ protocol, port }) => {
    const { name, isOwn, isIgnored } = settingsOfPort(settings, port);
    if (isIgnored || keepsClosed(target, port) || (conventions.isExplicit && name === undefined)) return [];
    const full = `${name ?? settings.imageName}${ports.length > 1 && !isOwn ? `-${port}` : ''}`;
    const text = `the service ${full} of ${container.name}`;
    return [{ text, protocol, at: [{ container: target, port }] }];
  });
}

/** Whoever shares the namespace of a container opens no port that this one says to ignore. */
const keepsClosed = ({ services: own }: Container, port: number): boolean =>
  own !== undefined && (own.isCut || settingsOfPort(own, port).isIgnored);

/** A container in the namespace of another can publish nothing itself, so what it exposes counts. */
function servicePorts(
  { network, ports }: Container,
  { exposed }: ServiceSettings,
  { isInternal }: Conventions,
): readonly ExposedPort[] {
  const published = ports
    .filter(({ host }) => !isLoopback(host))
    .map(({ protocol, containerPort: port }) => ({ protocol, port }));
  const all = [...published, ...(isInternal || network.kind === 'container' ? exposed : [])];
  return [...new Map(all.map((one) => [`${one.protocol} ${one.port}`, one])).values()];
}

const tooMany = ({ name }: Container): Problem => ({
  severity: 'error',
  text: name,
  reason: `${name} and its image have too many SERVICE_ variables or labels, so no port of it is open; leave some out`,
});
