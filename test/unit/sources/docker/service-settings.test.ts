/**
 * What is read of a container's services, and that an image cannot make it large.
 */
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { containerFrom } from '../../../../src/sources/docker/inspect.ts';
import { readSelected, SERVICE_SELECTION } from '../../../../src/sources/docker/selected-fields.ts';

const inspected = (config: object, host: object = {}, settings: object = {}) => ({
  ...{ Id: 'a', Name: '/web', Image: 'sha256:0', Mounts: [], NetworkSettings: { Networks: {}, ...settings } },
  State: { Running: true, Pid: 1, StartedAt: '2026-01-01T00:00:00Z' },
  HostConfig: { NetworkMode: 'bridge', ...host },
  Config: { Env: [], Labels: {}, Image: 'registry.example:5000/team/shop:1.2', ...config },
});

const read = async (json: object) => {
  const selected = await readSelected(Readable.from([JSON.stringify(json)]), 'read', SERVICE_SELECTION);
  return containerFrom(selected, undefined, true);
};

const servicesOf = async (config: object) => (await read(inspected(config))).services;

it('takes names from environment and labels, which count more, and exposed ports', async () => {
  const services = await servicesOf({
    Env: [
      'PATH=/bin',
      'SERVICE_NAME=one',
      'SERVICE_TAGS=a,b',
      'SERVICE_53_IGNORE=1',
      'EGRESSTRATOR_ENABLE=1',
    ],
    Labels: { SERVICE_NAME: 'two', 'com.example': 'x' },
    ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000-8010/tcp': {}, '99999/tcp': {} },
  });
  expect(services).toEqual({
    ...{ imageName: 'shop', general: { name: 'two' }, isCut: false },
    byPort: new Map([[53, { isIgnored: true }]]),
    exposed: [
      { protocol: 'udp', port: 53 },
      { protocol: 'tcp', port: 80 },
    ],
  });
});

it('keeps settings of ours behind any number of others, which then say nothing', async () => {
  const many = Array.from({ length: 10_000 }, (_, index) => `SERVICE_${index + 1}_NAME=${'x'.repeat(1_000)}`);
  const { services, environment } = await read(inspected({ Env: [...many, 'EGRESSTRATOR_ENABLE=1'] }));
  expect(environment).toEqual(['EGRESSTRATOR_ENABLE=1']);
  expect(services?.isCut).toBe(true);
  const labels = Object.fromEntries(many.map((line) => line.split('=')));
  const labelled = await read(inspected({ Labels: { ...labels, 'egresstrator.enable': '1' } }));
  expect(labelled.labels).toEqual({ 'egresstrator.enable': '1' });
  expect(labelled.services?.isCut).toBe(true);
});

it('keeps a bounded number of exposed ports, and cuts names', async () => {
  const exposed = Array.from({ length: 60_000 }, (_, index) => [`${index + 1}/udp`, {}] as const);
  const services = await servicesOf({
    ...{ ExposedPorts: Object.fromEntries(exposed), Env: [`SERVICE_NAME=${'x'.repeat(100_000)}`] },
  });
  expect(services?.exposed).toHaveLength(4_096);
  expect(services?.general.name).toHaveLength(255);
});

it('is not read where nobody asks', () => {
  expect(containerFrom(inspected({ Env: ['SERVICE_NAME=one'] })).services).toBeUndefined();
});

it('tells the ports that the Engine chose from those that were named', async () => {
  const { ports } = await read(
    inspected(
      {},
      {
        PortBindings: {
          '80/tcp': [{ HostIp: '', HostPort: '8080' }],
          '81/tcp': [{ HostIp: '', HostPort: '' }],
        },
      },
      {
        Ports: {
          '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }],
          '81/tcp': [{ HostIp: '0.0.0.0', HostPort: '32768' }],
          '82/tcp': [{ HostIp: '0.0.0.0', HostPort: '32769' }],
        },
      },
    ),
  );
  expect(ports.map(({ hostPort, isAssigned = false }) => `${hostPort} ${isAssigned}`)).toEqual([
    ...['8080 false', '32768 true', '32769 true'],
  ]);
});
