/**
 * Attempts to open a port that the ports guard keeps closed, as data: by what an image says of its services, and by what
 * somebody registers in Consul.
 */
import type { ImageSpec } from './images.ts';

/** Where a port must stay closed. The victim is another container, which publishes its ports 80 and 81. */
export interface ClosedPort {
  readonly of: 'attacker' | 'victim';
  readonly port: 80 | 81;
}

export interface ImageAttempt {
  readonly name: string;
  readonly image: ImageSpec;
  /** Options of its runner. */
  readonly options?: readonly string[];
  /** It has the network namespace of the victim, so that no port is published for it. */
  readonly sharesNamespace?: boolean;
  readonly closed: ClosedPort;
}

/** An attacker publishes its port 80 alone, and listens at 81 as well. */
const OWN_81: ClosedPort = { of: 'attacker', port: 81 };
const IGNORED = { options: ['-e', 'SERVICE_IGNORE=true'], closed: { of: 'attacker', port: 80 } } as const;

/** More than any list that is read. */
const MANY = 100_000;
const labels = (count: number): Readonly<Record<string, string>> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`SERVICE_${index + 1}_NAME`, 'x']));
const exposed = (...ports: readonly number[]) => ({
  ExposedPorts: Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}])),
});

export const imageAttempts: readonly ImageAttempt[] = [
  {
    name: 'an image label that takes back SERVICE_IGNORE',
    image: { labels: { SERVICE_IGNORE: '' } },
    ...IGNORED,
  },
  {
    name: 'an image label that takes it back for one port',
    image: { labels: { SERVICE_80_IGNORE: '' } },
    ...IGNORED,
  },
  {
    name: 'an image variable that takes it back in another case',
    image: { env: ['SERVICE_ignore='] },
    ...IGNORED,
  },
  { name: 'a name for an ignored port', image: { labels: { SERVICE_80_NAME: 'shop' } }, ...IGNORED },
  {
    name: 'a name for a port that is neither published nor exposed',
    image: { labels: { SERVICE_81_NAME: 'shop' } },
    closed: OWN_81,
  },
  {
    name: 'ports in other digits, too large, and with signs',
    image: {
      labels: {
        ...{ SERVICE_８１_NAME: 'x', SERVICE_0_NAME: 'x', SERVICE_65617_NAME: 'x' },
        ...{ 'SERVICE_+81_NAME': 'x', SERVICE_081_NAME: 'x', 'SERVICE_81 _NAME': 'x' },
      },
    },
    closed: OWN_81,
  },
  {
    name: 'EXPOSE of all ports',
    image: { more: exposed(...Array.from({ length: 65_535 }, (_, index) => index + 1)) },
    closed: OWN_81,
  },
  {
    name: 'the name of the service of another container',
    image: { labels: { SERVICE_NAME: 'victim', SERVICE_81_NAME: 'victim' }, more: exposed(81) },
    closed: { of: 'victim', port: 81 },
  },
  {
    name: 'EXPOSE in the network namespace of another container, which ignores that port',
    image: { labels: { SERVICE_81_NAME: 'shop', SERVICE_81_IGNORE: '' }, more: exposed(81) },
    sharesNamespace: true,
    closed: { of: 'victim', port: 81 },
  },
  { name: `${MANY} settings`, image: { labels: labels(MANY) }, closed: OWN_81 },
  {
    name: 'a name of a megabyte with rules of nft, line breaks and codes of terminals',
    image: { labels: { SERVICE_80_NAME: `\u202e\u001b[2J\n"; } tcp . 81,\n${'x'.repeat(1_000_000)}` } },
    closed: OWN_81,
  },
];

export interface ConsulAttempt {
  readonly name: string;
  /** `unused`: in the victim's network, where no container is. */
  readonly at: 'unused' | 'loopback' | 'other';
  readonly port: number;
  readonly service?: string;
  readonly closed: ClosedPort;
}

/** The ports of the host that lead to the victim's: 8091 from everywhere, 8092 from loopback alone. */
export const VICTIM_PORTS = ['--publish', '8091:81', '--publish', '127.0.0.1:8092:81'] as const;

const VICTIM_81: ClosedPort = { of: 'victim', port: 81 };

export const consulAttempts: readonly ConsulAttempt[] = [
  {
    ...{ name: 'a service at an address of nobody, with a port that another container publishes' },
    ...{ at: 'unused', port: 8091, closed: VICTIM_81 },
  },
  {
    ...{ name: 'a service at an address of another container, with a port that the victim publishes' },
    ...{ at: 'other', port: 8091, closed: VICTIM_81 },
  },
  {
    ...{ name: 'a service at a port of loopback that leads to the victim' },
    ...{ at: 'loopback', port: 8092, closed: VICTIM_81 },
  },
  {
    ...{ name: 'a service whose name holds rules of nft and codes of terminals' },
    ...{ at: 'other', port: 82, service: '\u202e\u001b[2J\n10.0.0.0 . tcp . 81,', closed: VICTIM_81 },
  },
];
