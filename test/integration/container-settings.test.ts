/**
 * Who said what, on real Engines: whatever an image says and however its configuration is written, the gate
 * and the controller read of what the Engine made of it the same, and no more than its runner said.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callEngine } from '../../lab/engine/api.ts';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { labRunFolder } from '../../lab/paths.ts';
import { parseWorkload } from '../../src/inventory/workload.ts';
import { connect } from '../../src/sources/docker/connect.ts';
import { ContainerReader } from '../../src/sources/docker/container-reader.ts';
import type { Engine } from '../../src/sources/docker/engine.ts';
import { EngineHttpError } from '../../src/sources/docker/errors.ts';
import { looserThan, says, someSettings, type Words } from '../support/arbitrary-settings.ts';
import { imageJson, loadImage, loadPlatforms } from '../support/crafted-image.ts';
import { onEachEngine } from '../support/engines.ts';
import { decide, decisionOf } from '../unit/gate/bundle.ts';

/** How an image's author may write the same configuration. */
const spellings: Readonly<Record<string, (json: string) => string>> = {
  plainly: (json) => json,
  'with keys in another case': (json) =>
    json.replace('"config"', '"ConFig"').replace('"Env"', '"ENV"').replace('"Labels"', '"labelS"'),
  'with letters that Go folds': (json) => json.replace('"Labels"', '"Label\u017f"'),
  'with escapes in keys': (json) =>
    json.replace('"config"', '"\\u0063onfig"').replace('"Env"', '"\\u0045nv"'),
  'with escapes in values': (json) =>
    json
      .replaceAll('EGRESSTRATOR', '\\u0045GRESSTRATO\\u0052')
      .replaceAll('egresstrator', 'egresstr\\u0061tor'),
  'with keys twice': (json) => json.replace('"config":', '"config":{"Env":["X=1"]},"Config":'),
};

/** A runtime that keeps what Docker wrote for a container, and starts nothing. */
const CAPTURE = `#!/bin/sh
bundle= before= create=
for word; do
  if [ "$before" = --bundle ]; then bundle=$word; fi
  if [ "$word" = create ]; then create=yes; fi
  before=$word
done
[ -n "$create" ] || exec runc "$@"
mkdir "\${0%/*}/\${bundle##*/}" && cp "$bundle/config.json" "\${0%/*}/\${bundle##*/}/"
exit 1
`;

interface Variant {
  /** The image's configuration. */
  readonly json: string;
  readonly runner: Words;
  /** The image is removed once the container was made. */
  readonly isGone: boolean;
}

onEachEngine((version) => {
  let own: OwnEngine;
  let engine: Engine;
  const folder = mkdtempSync(join(labRunFolder('words'), 'w'));

  beforeAll(async () => {
    const runtime = join(folder, 'capture');
    writeFileSync(runtime, CAPTURE, { mode: 0o755 });
    const daemonOptions = ['--add-runtime', `capture=${runtime}`];
    own = await startEngine({ version, name: `words-${version}`, daemonOptions });
    engine = connect({ socketPath: own.socketPath });
  });
  afterAll(async () => {
    engine?.close();
    await own?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const removeImage = (image: string) => callEngine(own.socketPath, 'DELETE', `/images/${image}?force=1`);

  /** What the gate and the controller read of what the Engine made of it. */
  async function readBoth({ json, runner, isGone }: Variant) {
    const image = await loadImage(own.socketPath, json);
    const { environment, labels } = runner;
    const config = { Image: image, Cmd: ['/none'], Env: environment, Labels: labels };
    const host = { Runtime: 'capture', NetworkMode: 'none' };
    const id = await engine.create(`words-${randomUUID()}`, { ...config, HostConfig: host });
    try {
      await expect(engine.start(id)).rejects.toThrow(EngineHttpError);
      if (isGone) await removeImage(image);
      const containers = join(own.dataRoot, 'containers');
      const { decision, name } = decide('awk', join(folder, id), { containers, id });
      const controller = parseWorkload(await new ContainerReader(engine).read(id));
      return { gate: { decision, name }, controller };
    } finally {
      await engine.remove(id);
      await removeImage(image);
    }
  }

  async function agree(variant: Variant): Promise<void> {
    const { gate, controller } = await readBoth(variant);
    const { decision, name } = controller === undefined ? PASS : decisionOf(controller);
    expect(gate).toEqual({ decision, name });
    const alone = parseWorkload({ ...variant.runner, image: { environment: [], labels: {} } });
    if (alone !== undefined) expect(looserThan(alone, controller, says(variant.runner, 'ACL'))).toEqual([]);
  }

  test('whatever image and runner say', async () => {
    const spelling = fc.constantFrom(...Object.keys(spellings));
    const property = fc.asyncProperty(
      someSettings,
      someSettings,
      spelling,
      fc.boolean(),
      async (image, runner, how, isGone) => {
        const plain = imageJson({
          Env: ['PATH=/bin', ...image.environment],
          Labels: image.labels,
          Cmd: ['/none'],
        });
        await agree({ json: spellings[how]?.(plain) ?? plain, runner, isGone });
      },
    );
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
  });
});

describe("containerd's image store, Engine 28.5", () => {
  let own: OwnEngine;
  beforeAll(async () => {
    const daemonOptions = ['--feature', 'containerd-snapshotter=true'];
    own = await startEngine({ version: '28.5', name: 'words-store', daemonOptions });
  });
  afterAll(() => own?.remove());

  test('of an image of several platforms the one that the container was made of counts', async () => {
    const { socketPath } = own;
    const Env = ['PATH=/bin', 'EGRESSTRATOR_MODE=audit', 'EGRESSTRATOR_ENABLE=0'];
    await loadPlatforms(socketPath, 'several:1', { amd64: { Env: ['PATH=/bin'] }, 386: { Env } });
    const engine = connect({ socketPath });
    const read = async (...options: readonly string[]) => {
      const docker = ['-H', `unix://${socketPath}`, 'create', '--pull=never', '--network', 'none'];
      const { stdout: id } = await execa('docker', [...docker, ...options, 'several:1', '/none']);
      return parseWorkload(await new ContainerReader(engine).read(id));
    };
    const runner = ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=db'];
    const other = ['--platform', 'linux/386'];
    expect(await read(...other, ...runner)).toMatchObject({ grants: ['db'], mode: 'enforce' });
    const labels = ['--label', 'egresstrator.enable=1', '--label', 'egresstrator.acl=db'];
    expect(await read(...other, ...labels)).toMatchObject({ grants: ['db'], mode: 'enforce' });
    expect(await read(...runner, '-e', 'EGRESSTRATOR_MODE=audit')).toMatchObject({ mode: 'audit' });
    engine.close();
  });
});

const PASS = { decision: 'pass', name: undefined };

/** Starts on each Engine; SETTINGS_RUNS asks for more. */
const RUNS = Number(process.env.SETTINGS_RUNS ?? 40);
