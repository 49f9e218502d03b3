/**
 * Ports opened and closed by hand: they count instead of what is registered, and end with their container.
 */
import { describe, expect, it, test } from 'vitest';
import { type PersistedPorts, PortOverrides } from '../../../../src/features/host/port-overrides.ts';
import { portsOf } from '../../../../src/features/host/ports.ts';
import { registeredServices } from '../../../../src/features/host/registrations.ts';
import type { Container } from '../../../../src/inventory/container.ts';
import type { NodeService } from '../../../../src/inventory/service.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import { container } from '../../../support/containers.ts';
import { prefix } from '../../../support/host-claims.ts';

const WEB = container('web', {
  networks: [
    {
      ...{ id: 'a', name: 'a', endpoint: 'e' },
      ...{ ipv4: prefix('172.18.0.2'), ipv6: prefix('fd00:18::2') },
    },
  ],
  ports: [{ host: prefix('0.0.0.0/0'), hostPort: 8080, protocol: 'tcp', containerPort: 80 }],
});

const REGISTERED: NodeService = {
  registration: 'web 1 1',
  name: 'web',
  address: prefix('172.18.0.2'),
  port: 80,
  protocol: 'tcp',
};
const PORT = { protocol: 'tcp', port: 80 } as const;

function overrides(previous?: PersistedPorts) {
  const kept: PersistedPorts[] = [];
  return { kept, all: new PortOverrides({ previous, keep: (ports) => kept.push(ports), now: () => 5 }) };
}

const portsWith = (all: PortOverrides, services: readonly NodeService[] = [REGISTERED]) => {
  const running = { containers: [WEB], guarded: [WEB], networks: new Map() };
  const { found } = registeredServices(services, running, new Map());
  const { openings, proxied } = portsOf(found, [WEB], { byHand: all.all });
  const callers = (from: (typeof proxied)[number]['from']) =>
    typeof from === 'string' ? from : from.map(formatPrefix).join(',');
  return {
    open: openings.map(({ to, port, from }) => `${formatPrefix(to)} ${port} ${callers(from)}`),
    proxied: proxied.map(({ from }) => callers(from)),
  };
};

describe('by hand', () => {
  it('a registered port is closed, also behind the proxy, and as registered again after that', () => {
    const { all } = overrides();
    expect(portsWith(all)).toEqual({
      open: ['172.18.0.2 80 anyone', 'fd00:18::2 80 anyone'],
      proxied: ['anyone'],
    });
    all.set(WEB, PORT, { kind: 'close', from: 'anyone' });
    expect(portsWith(all)).toEqual({ open: [], proxied: ['nobody'] });
    all.set(WEB, PORT, undefined);
    expect(portsWith(all).proxied).toEqual(['anyone']);
  });

  it('a port is open to all or to some, in their family alone', () => {
    const { all } = overrides();
    all.set(WEB, PORT, { kind: 'open', from: [prefix('198.51.100.0/24')] });
    expect(portsWith(all)).toEqual({ open: ['172.18.0.2 80 198.51.100.0/24'], proxied: ['198.51.100.0/24'] });
    all.set(WEB, PORT, { kind: 'open', from: [prefix('2001:db8::/32')] });
    expect(portsWith(all)).toEqual({ open: ['fd00:18::2 80 2001:db8::/32'], proxied: ['nobody'] });
    all.set(WEB, PORT, { kind: 'open', from: 'anyone' });
    expect(portsWith(all, []).open).toEqual(['172.18.0.2 80 anyone', 'fd00:18::2 80 anyone']);
  });

  it('each port of a container has a word of its own', () => {
    const { all } = overrides();
    all.set(WEB, PORT, { kind: 'close', from: 'anyone' });
    all.set(WEB, { protocol: 'tcp', port: 81 }, { kind: 'open', from: 'anyone' });
    expect(portsWith(all).open).toEqual(['172.18.0.2 81 anyone', 'fd00:18::2 81 anyone']);
  });
});

test('what was said is kept, and ends with the container or its start', () => {
  const { all, kept } = overrides();
  all.set(WEB, PORT, { kind: 'close', from: 'anyone' });
  expect(kept).toHaveLength(1);
  const again = overrides(kept[0]);
  const running = (one: Container) => new Map([[one.id, one]]);
  again.all.retain(running(WEB));
  expect(again.kept).toEqual([]);
  expect(again.all.all.size).toBe(1);
  again.all.retain(running({ ...WEB, startedAt: '2026-02-02T00:00:00Z' }));
  expect(again.kept.map(({ size }) => size)).toEqual([0]);
});
