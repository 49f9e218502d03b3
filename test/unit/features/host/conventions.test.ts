/**
 * Services by registrator's conventions: what containers say of their own ports.
 */
import { describe, expect, it } from 'vitest';
import { conventionalServices } from '../../../../src/features/host/conventions.ts';
import type { Container } from '../../../../src/inventory/container.ts';
import { serviceSettings } from '../../../../src/inventory/service-settings.ts';
import { container } from '../../../support/containers.ts';
import { end, port, web } from '../../../support/host-inventory.ts';

const settings = (pairs: Readonly<Record<string, string>> = {}, ...exposed: readonly number[]) => ({
  ...{ imageName: 'nginx', ...serviceSettings(Object.entries(pairs)), isCut: false },
  exposed: exposed.map((number) => ({ protocol: 'tcp' as const, port: number })),
});

const services = (
  containers: readonly Container[],
  options: { isInternal?: boolean; isExplicit?: boolean } = {},
) => {
  const guarded = containers.filter(({ networks }) => networks.length > 0);
  const conventions = { isInternal: false, isExplicit: false, ...options };
  const { found, problems } = conventionalServices(containers, guarded, conventions);
  return [
    ...found.map(
      ({ text, protocol, at }) =>
        `${text}: ${at.map((one) => `${one.container.name} ${protocol}/${one.port}`).join()}`,
    ),
    ...problems.map(({ reason }) => reason),
  ];
};

const PORTS = [port('0.0.0.0/0', 8080, 80), port('::/0', 8080, 80), port('0.0.0.0/0', 53, 53, 'udp')];

describe('the services of a container', () => {
  it('are its published ports, named by its image', () => {
    expect(services([web({ ports: PORTS.slice(0, 2), services: settings({}, 80, 81) })])).toEqual([
      'the service nginx of web: web tcp/80',
    ]);
    expect(services([web({ ports: PORTS, services: settings() })])).toEqual([
      'the service nginx-80 of web: web tcp/80',
      'the service nginx-53 of web: web udp/53',
    ]);
  });

  it('of one port by both protocols are two', () => {
    const both = [port('0.0.0.0/0', 53, 53), port('0.0.0.0/0', 53, 53, 'udp')];
    expect(services([web({ ports: both, services: settings({ SERVICE_NAME: 'dns' }) })])).toEqual([
      'the service dns-53 of web: web tcp/53',
      'the service dns-53 of web: web udp/53',
    ]);
  });

  it('are not what loopback alone publishes', () => {
    expect(services([web({ ports: [port('127.0.0.1', 8080, 80)], services: settings() })])).toEqual([]);
  });

  it('have the names that it gives, for all ports or for one', () => {
    const named = settings({ SERVICE_NAME: 'shop', SERVICE_53_NAME: 'dns' });
    expect(services([web({ ports: PORTS, services: named })])).toEqual([
      'the service shop-80 of web: web tcp/80',
      'the service dns of web: web udp/53',
    ]);
  });

  it('are not what it says to ignore', () => {
    expect(services([web({ ports: PORTS, services: settings({ SERVICE_IGNORE: 'true' }) })])).toEqual([]);
    expect(services([web({ ports: PORTS, services: settings({ SERVICE_80_IGNORE: '1' }) })])).toEqual([
      'the service nginx-53 of web: web udp/53',
    ]);
  });

  it('are not what anyone says to ignore: an image cannot take that back', () => {
    const variable = { SERVICE_IGNORE: 'true' };
    for (const later of [{ SERVICE_80_IGNORE: '' }, { SERVICE_ignore: '' }, { SERVICE_80_NAME: 'shop' }])
      expect(services([web({ ports: PORTS, services: settings({ ...variable, ...later }) })])).toEqual([]);
    expect(services([web({ ports: PORTS, services: settings({ SERVICE_IGNORE: '' }) })])).toHaveLength(2);
  });

  it('are all exposed ports with -internal, and only named ones with -explicit', () => {
    expect(services([web({ services: settings({}, 80, 81) })], { isInternal: true })).toEqual([
      'the service nginx-80 of web: web tcp/80',
      'the service nginx-81 of web: web tcp/81',
    ]);
    const named = settings({ SERVICE_80_NAME: 'shop' });
    expect(services([web({ ports: PORTS, services: named })], { isExplicit: true })).toEqual([
      'the service shop of web: web tcp/80',
    ]);
    expect(services([web({ ports: PORTS, services: settings() })], { isExplicit: true })).toEqual([]);
  });

  it('that shares a namespace are at the addresses of the one who has it', () => {
    const sidecar = container('sidecar', {
      ...{ network: { kind: 'container', owner: 'web' }, networks: [] },
      services: settings({ SERVICE_NAME: 'metrics' }, 9100),
    });
    const owner = web({ id: 'web', ports: PORTS.slice(0, 1), services: settings() });
    expect(services([owner, sidecar])).toEqual([
      'the service nginx of web: web tcp/80',
      'the service metrics of sidecar: web tcp/9100',
    ]);
    expect(services([sidecar])).toEqual([]);
  });

  it('that shares a namespace are none that its owner says to ignore', () => {
    const sidecar = container('sidecar', {
      ...{ network: { kind: 'container', owner: 'web' }, networks: [] },
      services: settings({ SERVICE_NAME: 'metrics', SERVICE_81_IGNORE: '' }, 80, 81),
    });
    const owner = web({ id: 'web', services: settings({ SERVICE_80_IGNORE: 'true' }) });
    expect(services([owner, sidecar])).toEqual(['the service metrics-81 of sidecar: web tcp/81']);
    const cut = web({ id: 'web', services: { ...settings(), isCut: true } });
    expect(services([cut, sidecar])).not.toContainEqual(expect.stringContaining('metrics'));
  });

  it('on the host network are none', () => {
    const onHost = container('agent', {
      ...{ network: { kind: 'host' }, networks: [], services: settings({}, 80) },
    });
    expect(services([onHost], { isInternal: true })).toEqual([]);
  });

  it('with more settings than are read are none, which is told', () => {
    const one = web({ ports: PORTS, services: { ...settings(), isCut: true } });
    expect(services([one])).toEqual([
      'web and its image have too many SERVICE_ variables or labels, so no port of it is open; leave some out',
    ]);
  });

  it('of a range of 1,000 are as many', () => {
    const ports = Array.from({ length: 1_000 }, (_, index) =>
      port('0.0.0.0/0', 20_000 + index, 30_000 + index),
    );
    const one = web({ ports, networks: [end('front', '172.18.0.2')], services: settings() });
    expect(services([one])).toHaveLength(1_000);
  });
});

describe('a setting', () => {
  it('that comes later counts, whatever the case behind SERVICE_', () => {
    const { general, byPort } = serviceSettings([
      ['SERVICE_NAME', 'one'],
      ['SERVICE_name', 'two'],
      ['SERVICE_80_Ignore', 'yes'],
      ['SERVICE_080_NAME', 'no port'],
      ['service_NAME', 'not ours'],
      ['SERVICE_80_CHECK_HTTP', '/'],
    ]);
    expect(general).toEqual({ name: 'two' });
    expect([...byPort]).toEqual([[80, { isIgnored: true }]]);
  });
});
