/** How often a container is inspected for what happens to it: once where that tells all, and again where it may not. */
import { expect, onTestFinished, test } from 'vitest';
import { DockerContainerSource } from '../../../../src/sources/docker/containers.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeEngine } from './fake-engine.ts';

const connected = (id: string) =>
  `${JSON.stringify({ Type: 'network', Action: 'connect', Actor: { ID: 'net', Attributes: { container: id } } })}\n`;

async function begin() {
  const engine = new FakeEngine();
  engine.environment = ['EGRESSTRATOR_ENABLE=1'];
  const images: string[] = [];
  engine.image = async (name) => {
    images.push(name);
    return { id: name, labels: {}, environment: [] };
  };
  const watched = new DockerContainerSource(engine).watch(() => {});
  onTestFinished(() => watched.close());
  await eventually(() => expect(watched.value?.size).toBe(0));
  const inspections = () => engine.calls.filter((call) => call.startsWith('inspect')).length;
  const runs = (id: string) => watched.value?.has(id) ?? false;
  return { engine, images, inspections, runs };
}

/** Long enough for whatever would be asked to be asked. */
const rest = () => new Promise((resolve) => setTimeout(resolve, 30));

test('a start is one inspection, and one of the image: the Engine answers what its network caused when it is over', async () => {
  const { engine, images, inspections, runs } = await begin();
  const started = Promise.withResolvers<void>();
  engine.names.set('a', 'a');
  engine.trouble.set('a', started.promise);
  engine.say(connected('a'));
  await eventually(() => expect(inspections()).toBe(1));
  engine.tell('start', 'a');
  await rest();
  started.resolve();
  await eventually(() => expect(runs('a')).toBe(true));
  await rest();
  expect([inspections(), images]).toEqual([1, ['sha256:0']]);
});

test('nor is it inspected again if the answer is there before the start is told', async () => {
  const { engine, inspections, runs } = await begin();
  engine.names.set('a', 'a');
  engine.say(connected('a'));
  await eventually(() => expect(runs('a')).toBe(true));
  engine.tell('start', 'a');
  await rest();
  expect(inspections()).toBe(1);
});

test('a start without a network is one inspection', async () => {
  const { engine, inspections, runs } = await begin();
  engine.names.set('a', 'a');
  engine.tell('start', 'a');
  await eventually(() => expect(runs('a')).toBe(true));
  await rest();
  expect(inspections()).toBe(1);
});

test('what did not run yet when its network was told is inspected at its start', async () => {
  const { engine, inspections, runs } = await begin();
  engine.say(connected('a'));
  await eventually(() => expect(inspections()).toBe(1));
  await rest();
  engine.names.set('a', 'a');
  engine.tell('start', 'a');
  await eventually(() => expect(runs('a')).toBe(true));
  expect(inspections()).toBe(2);
});

test('one that ended and started while it was being inspected is inspected again', async () => {
  const { engine, inspections, runs } = await begin();
  const answered = Promise.withResolvers<void>();
  engine.names.set('a', 'a');
  engine.trouble.set('a', answered.promise);
  engine.tell('start', 'a');
  await eventually(() => expect(inspections()).toBe(1));
  engine.tell('die', 'a');
  engine.tell('start', 'a');
  await rest();
  engine.trouble.delete('a');
  answered.resolve();
  await eventually(() => expect(inspections()).toBe(2));
  await rest();
  expect([inspections(), runs('a')]).toEqual([2, true]);
});

test('a network that comes later is inspected, and so is one that could not be read at its start', async () => {
  const { engine, inspections, runs } = await begin();
  engine.names.set('a', 'a');
  engine.tell('start', 'a');
  await eventually(() => expect(runs('a')).toBe(true));
  engine.say(connected('a'));
  await eventually(() => expect(inspections()).toBe(2));
  engine.trouble.set('a', new Error('the Engine is busy'));
  engine.tell('die', 'a');
  await eventually(() => expect(inspections()).toBe(3));
  engine.tell('start', 'a');
  await eventually(() => expect(inspections()).toBe(4));
});
