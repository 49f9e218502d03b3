/** Where the program for the host's rules runs: beside the Engine, or in a helper that the Engine starts on its host. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listensHere } from '../../../src/dataplane/engine-socket.ts';
import { HostRunner } from '../../../src/dataplane/host.ts';
import type { Command } from '../../../src/dataplane/runner.ts';

const answer = (stdout: string) => async () => ({ stdout });

/** Where a command ran; `helper`: what a helper prints, if there is one. */
async function runsAt(helper: string | undefined, loader: 'auto' | 'helper', isHere: boolean) {
  const fails = async () => {
    throw new Error('no helper image');
  };
  const runner = new HostRunner(
    { runOnHost: helper === undefined ? fails : answer(helper), followOnHost: fails },
    loader,
    async () => isHere,
    answer('here'),
  );
  await runner.run({ name: 'list' });
  return runner.loader;
}

describe('rules of the host are loaded', () => {
  it('by this process where a helper finds itself in the same namespace', async () => {
    expect(await runsAt('here', 'auto', false)).toBe('nsenter');
  });

  it('by a helper where that is in another one, whatever a socket tells', async () => {
    expect(await runsAt('elsewhere', 'auto', true)).toBe('helper');
    expect(await runsAt('here', 'helper', true)).toBe('helper');
  });

  it('by a helper where this process may not change rules', async () => {
    const here = async ({ command }: { readonly command: Command }) => {
      if (command.name !== 'place') throw new Error('Operation not permitted');
      return { stdout: 'here' };
    };
    const helper = { runOnHost: answer('here'), followOnHost: async () => {} };
    const runner = new HostRunner(helper, 'auto', async () => true, here);
    await runner.run({ name: 'list' });
    expect(runner.loader).toBe('helper');
  });

  it('by this process without a helper, where the Engine listens in its namespace', async () => {
    expect(await runsAt(undefined, 'auto', true)).toBe('nsenter');
    await expect(runsAt(undefined, 'auto', false)).rejects.toThrow('no helper image');
  });
});

describe('the socket of an Engine', () => {
  let folder: string;
  const server = createServer();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'engine-socket-'));
    await new Promise<void>((resolve) => server.listen(join(folder, 'docker.sock'), resolve));
    symlinkSync(folder, join(folder, 'run'));
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('is found by any path that leads to it', async () => {
    expect(await listensHere(`unix://${folder}/docker.sock`)).toBe(true);
    expect(await listensHere(`unix://${folder}/run/docker.sock`)).toBe(true);
  });

  it('is not here where none listens', async () => {
    expect(await listensHere(`unix://${folder}`)).toBe(false);
    expect(await listensHere(`unix://${folder}/other.sock`)).toBe(false);
    expect(await listensHere('tcp://127.0.0.1:2375')).toBe(false);
  });
});
