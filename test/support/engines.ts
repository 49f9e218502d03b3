/**
 * Which Engines and loaders the tests of this run use. Their time is mostly waiting, so the tests of both Engines
 * run at once, those of each in order, and files run beside each other on Engines of their own: a controller takes
 * all containers of its Engine.
 *
 * EGRESSTRATOR_TEST_ENGINES=28.5 and EGRESSTRATOR_TEST_LOADERS=nsenter choose; without them all are used.
 */
import { describe } from 'vitest';
import type { EngineOptions, EngineVersion } from '../../lab/engine.ts';

const chosen = <T extends string>(all: readonly T[], variable: string): readonly T[] => {
  const names = process.env[variable]?.split(',');
  return names === undefined ? all : all.filter((one) => names.includes(one));
};

export type TestedEngine = '20.10' | '28.5';
export type TestedLoader = 'nsenter' | 'helper';

export const ENGINES = chosen<TestedEngine>(['20.10', '28.5'], 'EGRESSTRATOR_TEST_ENGINES');
export const LOADERS = chosen<TestedLoader>(['nsenter', 'helper'], 'EGRESSTRATOR_TEST_LOADERS');

/** For tests in which Engines do not differ. */
export const ONE_ENGINE: TestedEngine = ENGINES.at(-1) ?? '28.5';
/** The same for what the newest takes long for. */
export const OLD_ENGINE: TestedEngine = ENGINES[0] ?? ONE_ENGINE;

/**
 * Those of the tests on this Engine. By nsenter a controller loads from this machine, without the Engine: what both Engines
 * say of containers is tested by helpers on both, and by nsenter on one.
 */
export const loadersOn = (version: TestedEngine): readonly TestedLoader[] =>
  LOADERS.filter((loader) => loader === 'helper' || version === ONE_ENGINE);

/** How often a controller compares: each comparison by a helper is a container, half a second of processor time. */
export const comparing = (loader: TestedLoader | 'auto'): readonly string[] => [
  '--drift-interval',
  loader === 'helper' ? '3' : '1',
];

/**
 * The tests of both Engines run at once, so what asks vitest for the running test gets the other Engine's, or none:
 * `expect.poll` and `onTestFinished`. Use `vi.waitFor` and `afterAll`.
 */
export function onEachEngine(tests: (version: TestedEngine) => void): void {
  describe.concurrent.each(ENGINES)('Engine %s', (version) => {
    describe('in order', { concurrent: false }, () => tests(version));
  });
}

/** For what is the same on each Engine: trouble with Consul, or what only a table of ours decides. */
export function onOneEngine(tests: (version: TestedEngine) => void, version = ONE_ENGINE): void {
  describe(`Engine ${version}`, () => tests(version));
}

/** The name of an Engine that no file beside this one uses. */
export function engineName(name: string): string {
  const worker = process.env.VITEST_POOL_ID ?? '1';
  return worker === '1' ? name : `${name}-${worker}`;
}

/** The Engine that is kept for the files that run after each other where this one does. */
export const engineHere = (version: EngineVersion): EngineOptions => ({ version, name: engineName(version) });
