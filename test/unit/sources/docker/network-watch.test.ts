/** What is known of networks after whatever happened, and how seldom the Engine is asked for that. */
import { expect, onTestFinished, test } from 'vitest';
import type { Network } from '../../../../src/inventory/network.ts';
import { DockerContainerSource } from '../../../../src/sources/docker/containers.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeEngine, httpError } from './fake-engine.ts';

const network = (id: string, traits: Partial<Network> = {}): Network => ({
  ...{ id, name: id, driver: 'bridge', isInternal: false, subnets: [], bridge: `br-${id}`, options: {} },
  ...traits,
});

async function begin(ofNetworks: FakeEngine['ofNetworks'] = new Map([['n1', network('n1')]])) {
  const engine = new FakeEngine();
  engine.ofNetworks = ofNetworks;
  let changes = 0;
  const settings = { relistEvery: 20, backoff: { first: 5, most: 20 } };
  const watch = new DockerContainerSource(engine, settings).watch(() => changes++);
  onTestFinished(() => watch.close());
  const known = () => watch.networks.value && [...watch.networks.value.keys()];
  const become = (...ids: string[]) => eventually(() => expect(known()).toEqual(ids));
  const asked = () => engine.calls.filter((call) => call.includes('network'));
  const event = (Action: string, ID: string) =>
    engine.say(`${JSON.stringify({ Type: 'network', Action, Actor: { ID } })}\n`);
  return { engine, watch, known, become, asked, event, changes: () => changes };
}

/** Several lists of containers. */
const rest = () => new Promise((resolve) => setTimeout(resolve, 100));

test('all are listed once; at rest nothing is asked', async () => {
  const { engine, watch, become, asked } = await begin();
  await become('n1');
  await rest();
  expect(engine.calls.filter((call) => call === 'list').length).toBeGreaterThan(1);
  expect(asked()).toEqual(['list networks']);
  expect(watch.networks.confirmedAt).toBeDefined();
});

test('one that comes or goes is read alone', async () => {
  const networks = new Map([['n1', network('n1')]]);
  const { become, asked, event } = await begin(networks);
  await become('n1');
  networks.set('n2', network('n2'));
  event('create', 'n2');
  await become('n1', 'n2');
  networks.delete('n1');
  event('destroy', 'n1');
  await become('n2');
  expect(asked()).toEqual(['list networks', 'inspect network n2', 'inspect network n1']);
});

test('an event that changes nothing is no change', async () => {
  const { watch, become, asked, event, changes } = await begin();
  await become('n1');
  const [before, count] = [watch.networks.value, changes()];
  event('create', 'n1');
  await eventually(() => expect(asked()).toHaveLength(2));
  await rest();
  expect(watch.networks.value).toBe(before);
  expect(changes()).toBe(count);
});

test('after a loss of the Engine all are listed again', async () => {
  const networks = new Map([['n1', network('n1')]]);
  const { engine, become, asked } = await begin(networks);
  await become('n1');
  networks.set('n2', network('n2'));
  engine.down = true;
  engine.cut();
  await rest();
  engine.down = false;
  await become('n1', 'n2');
  await rest();
  expect(asked()).toEqual(['list networks', 'list networks']);
});

test('one that no event told is read when a container is found in it', async () => {
  const networks = new Map([['n1', network('n1')]]);
  const { engine, become, asked } = await begin(networks);
  await become('n1');
  networks.set('n2', network('n2'));
  engine.attachments = { n2: { NetworkID: 'n2', EndpointID: 'e' }, n1: { NetworkID: 'n1', EndpointID: 'e' } };
  engine.names.set('a', 'a');
  engine.tell('start', 'a');
  await become('n1', 'n2');
  expect(asked()).toEqual(['list networks', 'inspect network n2']);
});

test('where the Engine does not tell of networks, containers are known all the same, and it is asked again', async () => {
  const { engine, watch, become } = await begin(httpError(403, 'forbidden by a proxy'));
  engine.names.set('a', 'a');
  engine.tell('start', 'a');
  await eventually(() => expect(watch.value?.has('a')).toBe(true));
  await eventually(() => expect(watch.networks.error?.message).toContain('forbidden by a proxy'));
  expect([watch.error, watch.networks.value]).toEqual([undefined, undefined]);
  engine.ofNetworks = new Map([['n1', network('n1')]]);
  await become('n1');
  expect(watch.networks.error).toBeUndefined();
});

test('a failure is reported once, and so is its end', async () => {
  const { engine, watch, become, event, changes } = await begin();
  await become('n1');
  const [known, count] = [engine.ofNetworks, changes()];
  engine.ofNetworks = httpError(500, 'busy');
  event('create', 'n2');
  await eventually(() => expect(watch.networks.error).toBeDefined());
  await rest();
  expect(changes()).toBe(count + 1);
  engine.ofNetworks = known;
  await eventually(() => expect(watch.networks.error).toBeUndefined());
  expect(changes()).toBe(count + 2);
});

test('nothing is asked after close', async () => {
  const { engine, watch } = await begin(httpError(500, 'busy'));
  await eventually(() => expect(watch.networks.error).toBeDefined());
  watch.close();
  const calls = engine.calls.length;
  await rest();
  expect(engine.calls).toHaveLength(calls);
});
