/** Which services a question reads, and what becomes of those that can't be read. */
import { expect, test } from 'vitest';
import { withServices } from '../../../src/diagnostics/read-services.ts';
import type { Snapshot } from '../../../src/diagnostics/snapshot.ts';
import { type ServiceRef, serviceName } from '../../../src/inventory/service.ts';
import { instance } from './fixtures.ts';

const picture: Snapshot = {
  rules: [{ key: 'db', text: 'known\nproduction.named@dc2\nbroken' }],
  services: [{ name: 'known', instances: [] }],
  ...{ places: [], unread: [], protectedHosts: [], denylist: false, recordsDenied: true },
};

class Reader {
  readonly read: string[] = [];
  readonly #names: readonly string[] | undefined;

  /** `names`: what the catalog lists; undefined where it does not answer. */
  constructor(names: readonly string[] | undefined) {
    this.#names = names;
  }

  async listServices(): Promise<readonly ServiceRef[]> {
    if (this.#names === undefined) throw new Error('no answer');
    return this.#names.map((service) => ({ service, datacenter: undefined }));
  }

  async readService(ref: ServiceRef) {
    const name = serviceName(ref);
    this.read.push(name);
    if (name === 'broken') throw new Error('no right');
    return [instance('10.0.0.1', 80)];
  }
}

test('what rules name is read, and what is asked for, but nothing twice', async () => {
  const reader = new Reader(['web']);
  const asked = [{ service: 'extra', datacenter: undefined }];
  const { services, unread } = await withServices(picture, reader, 'named', asked);
  expect(reader.read.sort()).toEqual(['broken', 'extra', 'named@dc2']);
  expect(services.map(({ name }) => name).sort()).toEqual(['extra', 'known', 'named@dc2']);
  expect(unread).toEqual(['broken']);
});

test('why a service could not be read is told', async () => {
  const { whyUnread } = await withServices(picture, new Reader([]), 'named');
  expect(whyUnread).toEqual({ broken: 'no right' });
});

test('all of the catalog is read where a question is about addresses', async () => {
  const reader = new Reader(['web', 'known']);
  await withServices(picture, reader, 'all');
  expect(reader.read.sort()).toEqual(['broken', 'named@dc2', 'web']);
});

test('a catalog that does not answer leaves what rules name', async () => {
  const { services } = await withServices(picture, new Reader(undefined), 'all');
  expect(services.map(({ name }) => name)).toEqual(['known', 'named@dc2']);
});

test('a huge catalog is not read to its end, and that is told', async () => {
  const names = Array.from({ length: 2_100 }, (_, index) => `s${index}`);
  const { unread } = await withServices({ ...picture, rules: [] }, new Reader(names), 'all');
  expect(unread).toHaveLength(100);
});
