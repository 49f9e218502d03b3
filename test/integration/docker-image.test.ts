/** The helper image on real Engines: how a controller in a container finds its own, and what is not there. */
import { execa } from 'execa';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { helperImage } from '../../src/sources/docker/image.ts';
import { ENGINES } from '../support/engines.ts';
import { ensureTestImage } from '../support/helper-image.ts';
import { type DockerLab, openDockerLab } from './docker-lab.ts';

describe.each(ENGINES)('Engine %s', (version) => {
  let lab: DockerLab;
  let image: string;
  beforeAll(async () => {
    lab = await openDockerLab(version);
    image = await ensureTestImage(lab);
  });

  test.each([['bridge'], ['host']])('from inside a container on the %s network', async (network) => {
    const options = ['--pull=never', '--detach', '--network', network, '--entrypoint', 'sleep'];
    const id = await lab.docker('run', ...options, image, '60');
    onTestFinished(() => lab.engine.remove(id));
    const readText = (path: string) => lab.docker('exec', id, 'cat', path);
    const found = await helperImage(lab.engine, { version: '0', readText })();
    expect((await lab.engine.image(found))?.id).toBe((await lab.engine.image(image))?.id);
  });

  test('one that is nowhere', async () => {
    // A registry on loopback that nobody serves: the Engine tries, and no packet leaves.
    const named = '127.0.0.1:9/egresstrator-lab/none:0';
    await expect(helperImage(lab.engine, { named, version: '0' })()).rejects.toThrow(
      new RegExp(`no helper image ${named} and cannot pull it: build it with .*could not pull`),
    );
  });

  test('holds the programs and the protocol, and little else', async () => {
    const run = (...args: string[]) =>
      lab.docker('run', '--pull=never', '--rm', '--network', 'none', ...args);
    expect(await run(image)).toMatch(/^netns \d+$/);
    expect(
      await run(
        '--entrypoint',
        'sh',
        image,
        '-c',
        'for name in nft iptables-restore sha256sum; do command -v $name; done',
      ),
    ).toMatch(/nft\n.*iptables-restore\n.*sha256sum/);
    const { stdout } = await execa('docker', ['-H', `unix://${lab.socketPath}`, 'history', '--quiet', image]);
    expect(stdout.split('\n').length).toBeLessThan(12);
  });
});
