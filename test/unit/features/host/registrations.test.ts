/**
 * Services of Consul's catalog: which ports of which containers they open.
 */
import { describe, expect, it } from 'vitest';
import { portsOf } from '../../../../src/features/host/ports.ts';
import { nodeProblems, registeredServices } from '../../../../src/features/host/registrations.ts';
import type { Container } from '../../../../src/inventory/container.ts';
import { type NodeService, UNKNOWN_NODE } from '../../../../src/inventory/service.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import { container } from '../../../support/containers.ts';
import { prefix } from '../../../support/host-claims.ts';
import { end, NETWORKS, port, web } from '../../../support/host-inventory.ts';

const service = (address: string, onPort: number, traits: Partial<NodeService> = {}) => ({
  ...{ registration: 'web 1 1', name: 'web', address: prefix(address), port: onPort },
  ...{ protocol: 'tcp' as const, ...traits },
});

const isGuarded = ({ networks }: Container): boolean => networks.some(({ id }) => NETWORKS.has(id));

describe('registered services', () => {
  const ports = (services: readonly NodeService[], ...containers: readonly Container[]) => {
    const running = { containers, guarded: containers.filter(isGuarded), networks: NETWORKS };
    const { found, problems } = registeredServices(services, running, new Map());
    const { openings, proxied } = portsOf(found, containers.filter(isGuarded));
    return {
      open: openings.map((one) => `${formatPrefix(one.to)} ${one.protocol}/${one.port}`),
      proxied: proxied.map((one) => `${formatPrefix(one.at)} ${one.protocol}/${one.port} ${one.from}`),
      problems: problems.map(({ reason }) => reason),
    };
  };

  it('open their port at all addresses of the container', () => {
    expect(ports([service('172.18.0.2', 80)], web()).open).toEqual([
      '172.18.0.2 tcp/80',
      'fd00:18::2 tcp/80',
    ]);
    expect(ports([service('fd00:18::2', 53, { protocol: 'udp' })], web()).open).toEqual([
      '172.18.0.2 udp/53',
      'fd00:18::2 udp/53',
    ]);
  });

  it('at a port of this host open the port that it leads to, and no other', () => {
    const published = web({ ports: [port('0.0.0.0/0', 8080, 80), port('198.51.100.1', 8081, 81)] });
    expect(ports([service('203.0.113.7', 8080)], published).open).toEqual([
      '172.18.0.2 tcp/80',
      'fd00:18::2 tcp/80',
    ]);
    expect(ports([service('203.0.113.7', 8081)], published).open).toEqual([]);
    expect(ports([service('198.51.100.1', 8081)], published).open).toEqual([
      '172.18.0.2 tcp/81',
      'fd00:18::2 tcp/81',
    ]);
    expect(ports([service('203.0.113.7', 8080, { protocol: 'udp' })], published).open).toEqual([]);
  });

  it('at a port of this host open nothing that another container publishes for the other family', () => {
    const [six, four] = [port('::/0', 8080, 5432), port('0.0.0.0/0', 8080, 80)];
    expect(ports([service('203.0.113.7', 8080)], web({ ports: [six] })).open).toEqual([]);
    expect(ports([service('2001:db8::7', 8080)], web({ ports: [four] })).open).toEqual([]);
    expect(ports([service('2001:db8::7', 8080)], web({ ports: [six, four] })).open).toEqual([
      '172.18.0.2 tcp/5432',
      'fd00:18::2 tcp/5432',
    ]);
  });

  it("leave what Docker's proxy listens at closed, unless it leads to an open port", () => {
    const published = web({
      ports: [port('0.0.0.0/0', 8080, 80), port('::/0', 8081, 81), port('127.0.0.1', 8082, 82)],
    });
    expect(ports([service('172.18.0.2', 80)], published).proxied).toEqual([
      '0.0.0.0/0 tcp/8080 anyone',
      '::/0 tcp/8081 nobody',
    ]);
  });

  it('of other containers open nothing that publishes the same port', () => {
    const published = web({ ports: [port('0.0.0.0/0', 80, 80), port('0.0.0.0/0', 81, 81)] });
    const onLan = container('lan', { networks: [end('macvlan', '192.0.2.7')] });
    const stopped = '172.18.0.7';
    expect(ports([service('192.0.2.7', 80), service(stopped, 80)], published, onLan).open).toEqual([]);
    expect(ports([service('192.0.2.8', 80)], published, onLan).open).toEqual([
      '172.18.0.2 tcp/80',
      'fd00:18::2 tcp/80',
    ]);
  });

  it("at a bridge's own address are at a port of this host", () => {
    const published = web({ ports: [port('0.0.0.0/0', 80, 80), port('::/0', 80, 80)] });
    const open = ['172.18.0.2 tcp/80', 'fd00:18::2 tcp/80'];
    expect(ports([service('172.18.0.1', 80)], published).open).toEqual(open);
    expect(ports([service('fd00:18::1', 80)], published).open).toEqual(open);
  });

  it('open nothing that is published at loopback alone', () => {
    const local = web({ ports: [port('127.0.0.1', 8080, 80), port('::1', 8080, 80)] });
    expect(ports([service('127.0.0.1', 8080), service('::1', 8080)], local).open).toEqual([]);
  });

  it('at an address of nobody are a problem, in a bridge alone', () => {
    expect(ports([service('172.18.0.9', 80), service('10.0.0.1', 80)], web())).toEqual({
      ...{ open: [], proxied: [] },
      problems: [
        'the service web at 172.18.0.9:tcp/80 is registered where no container runs; deregister it, or it opens that port of whoever gets the address next',
      ],
    });
  });
});

describe('a registration', () => {
  const at = (id: string, address = '172.18.0.2', traits: Partial<Container> = {}) =>
    web({ id, name: id, networks: [end('front', address)], ...traits });

  /** What is open after each of these states, with what is told of the last. */
  const walk = (...states: readonly (readonly [readonly NodeService[], ...Container[]])[]) => {
    let matched: Parameters<typeof registeredServices>[2] = new Map();
    let reasons: readonly string[] = [];
    const open = states.map(([services, ...containers]) => {
      const running = { containers, guarded: containers, networks: NETWORKS };
      const result = registeredServices(services, running, matched);
      matched = result.matched;
      reasons = result.problems.map(({ reason }) => reason);
      return result.found.flatMap((one) => one.at.map(({ container }) => container.name)).join();
    });
    return { open, reasons, matched };
  };

  const one = [service('172.18.0.2', 80)];
  const anew = [service('172.18.0.2', 80, { registration: 'web 1 2' })];

  it('opens nothing for the next container at its address, until it is made anew', () => {
    const { open, reasons } = walk([one, at('old')], [one], [one, at('next')]);
    expect(open).toEqual(['old', '', '']);
    expect(reasons).toEqual([
      'the service web at 172.18.0.2:tcp/80 was registered for a container that is gone, and opens nothing for next, which is there now; deregister it, or register it anew for next',
    ]);
    expect(walk([one, at('old')], [one, at('next')], [anew, at('next')]).open).toEqual(['old', '', 'next']);
    expect(walk([one, at('old')], [one, at('next')], [[]], [one, at('next')]).open[3]).toBe('next');
  });

  it('counts again for its own container when that comes back', () => {
    const { open } = walk([one, at('own')], [one, at('next')], [one, at('own')]);
    expect(open).toEqual(['own', '', 'own']);
  });

  it('does not follow its container to another address', () => {
    const { open, reasons } = walk([one, at('own')], [one, at('own', '172.18.0.3')]);
    expect(open).toEqual(['own', '']);
    expect(reasons).toEqual([
      'the service web at 172.18.0.2:tcp/80 is registered where no container runs; deregister it',
    ]);
  });

  it('that comes before its container waits for it', () => {
    expect(walk([one], [one, at('own')], [one, at('next')]).open).toEqual(['', 'own', '']);
  });

  it('at a port of this host counts for whoever was told to publish it', () => {
    const published = (id: string, isAssigned: boolean) =>
      at(id, '172.18.0.2', {
        ports: [{ ...port('0.0.0.0/0', 8080, 80), ...(isAssigned && { isAssigned }) }],
      });
    const shop = [service('203.0.113.7', 8080)];
    expect(walk([shop, published('old', false)], [shop, published('next', false)]).open).toEqual([
      'old',
      'next',
    ]);
    expect(walk([shop, published('old', true)], [shop, published('next', true)]).open).toEqual(['old', '']);
  });

  it('is forgotten when it goes', () => {
    expect(walk([one, at('own')], [[], at('own')]).matched.size).toBe(0);
  });
});

it('a node that Consul does not have is named, and one without services is none of a problem', () => {
  expect(nodeProblems(UNKNOWN_NODE, 'docker-1')).toMatchObject([
    { severity: 'error', reason: expect.stringContaining('Consul has no node docker-1') },
  ]);
  expect(nodeProblems([], 'docker-1')).toEqual([]);
});
