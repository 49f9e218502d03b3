/** `npm run lab -- down`: what it leaves of an engine that ended well, and of one that was killed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopLabEngine } from '../../lab/engine/all.ts';
import { engineLayout } from '../../lab/engine/layout.ts';
import { mountsBelow } from '../../lab/engine/mounts.ts';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { Workloads } from '../support/workloads.ts';

const name = `down-${process.pid}`;
let engine: OwnEngine;
beforeAll(async () => {
  engine = await startEngine({ version: '28.5', name });
});
afterAll(() => engine?.remove());

const mounts = () => {
  const { folder, runFolder } = engineLayout(name);
  return mountsBelow([folder, runFolder]);
};

test('nothing stays mounted', async () => {
  const workloads = await Workloads.on(engine);
  await workloads.start('one');
  expect(mounts().length).toBeGreaterThan(2);
  await stopLabEngine(name);
  expect(mounts()).toEqual([]);
});

test('also of an engine that was killed with its containers', async () => {
  // Its address block was given back with it.
  engine = await startEngine({ version: '28.5', name });
  const workloads = await Workloads.on(engine);
  await workloads.start('two');
  await engine.kill();
  expect(mounts().length).toBeGreaterThan(2);
  await stopLabEngine(name);
  expect(mounts()).toEqual([]);
});
