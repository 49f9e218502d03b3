/** Which services a question reads, and what becomes of those that can't be read. */
import { expect, test } from 'vitest';
import { withServices } from '../../../src/diagnostics/read-services.ts';
import { type ServiceRef, serviceName } from '../../../src/inventory/service.ts';
import { snapshotOf } from '../../support/snapshot.ts';
import { instance } from './fixtures.ts';

const snapshot = snapshotOf({
  keys: { db: 'known\nproduction.named@dc2\nbroken' },
  services: { known: [] },
});

class Reader {
  readonly read: string[] = [];
  readonly #names: readonly string[] | undefined;

  /** `names`: those of the catalog; undefined where it does not answer. */
  constructor(names: readonly string[] | undefined) {
    this.#names = names;
  }

  async readCatalog() {
    if (this.#names === undefined) throw new Error('no answer');
    const services = new Map(this.#names.map((name) => [name, [instance('10.0.0.9', 80)]]));
    return { services, unread: new Map([['hidden', 'no right']]) };
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
  const { catalog, unread } = await withServices(snapshot, reader, 'named', asked);
  expect(reader.read.sort()).toEqual(['broken', 'extra', 'named@dc2']);
  expect([...catalog.keys()].sort()).toEqual(['extra', 'known', 'named@dc2']);
  expect([...unread]).toEqual([['broken', 'no right']]);
});

test('the catalog is read once where a question is about addresses, and what is watched is fresher', async () => {
  const reader = new Reader(['web', 'known', 'broken']);
  const { catalog, unread } = await withServices(snapshot, reader, 'all');
  expect(reader.read).toEqual(['named@dc2']);
  expect([...catalog.keys()].sort()).toEqual(['broken', 'known', 'named@dc2', 'web']);
  expect(catalog.get('known')).toEqual([]);
  expect([...unread]).toEqual([['hidden', 'no right']]);
});

test('a catalog that does not answer leaves what rules name', async () => {
  const { catalog } = await withServices(snapshot, new Reader(undefined), 'all');
  expect([...catalog.keys()].sort()).toEqual(['known', 'named@dc2']);
});

test('more services than can be read are told', async () => {
  const refs = Array.from({ length: 2_100 }, (_, index) => ({ service: `s${index}`, datacenter: undefined }));
  const { unread } = await withServices(snapshotOf({}), new Reader([]), 'named', refs);
  expect([...unread.values()]).toEqual(Array.from({ length: 100 }, () => undefined));
});
