/**
 * A real Engine with the lab's images, and containers that are removed with the test.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { type EngineVersion, ensureEngine } from '../../lab/engine.ts';
import { ensureWorkloadImage } from '../../lab/images.ts';
import type { NamespaceRef } from '../../src/dataplane/dataplane.ts';
import { connect } from '../../src/sources/docker/connect.ts';
import type { Engine } from '../../src/sources/docker/engine.ts';
import { containerFrom } from '../../src/sources/docker/inspect.ts';
import { engineHere } from '../support/engines.ts';

export interface DockerLab {
  readonly engine: Engine;
  readonly socketPath: string;
  readonly workloadImage: string;
  /** Runs the docker command; returns its stdout. */
  docker(...args: string[]): Promise<string>;
  /** Starts a container that is removed with the test; returns its id. */
  start(...options: string[]): Promise<string>;
  /** The same with a program of its own: `['sh', '-c', '…']`. */
  startRunning(program: readonly string[], ...options: string[]): Promise<string>;
  /** A network that is removed with the test; returns its name. */
  network(): Promise<string>;
  namespaceOf(id: string): Promise<NamespaceRef>;
}

export async function openDockerLab(version: EngineVersion): Promise<DockerLab> {
  const { socketPath } = await ensureEngine(engineHere(version));
  return dockerLab(socketPath);
}

export async function dockerLab(socketPath: string): Promise<DockerLab> {
  const engine = connect({ socketPath });
  const workloadImage = await ensureWorkloadImage(socketPath);
  const docker = async (...args: string[]) =>
    (await execa('docker', ['-H', `unix://${socketPath}`, ...args], { env: { DOCKER_BUILDKIT: '0' } }))
      .stdout;
  const startRunning = async (program: readonly string[], ...options: string[]) => {
    const id = await docker('run', '--pull=never', '--detach', ...options, workloadImage, ...program);
    onTestFinished(() => engine.remove(id));
    return id;
  };
  return {
    ...{ engine, socketPath, workloadImage, docker, startRunning },
    start: (...options) => startRunning([], ...options),
    network: async () => {
      const name = `test-${randomUUID().slice(0, 8)}`;
      await docker('network', 'create', name);
      onTestFinished(async () => void (await docker('network', 'rm', name)));
      return name;
    },
    namespaceOf: async (id) => {
      const { name, pid, startedAt, sandbox } = containerFrom(await engine.inspect(id));
      return { containerId: id, name, pid, startedAt, sandbox };
    },
  };
}

/** The workload image with what a folder holds copied over its root; links stay links. */
export async function buildImageWith(lab: DockerLab, name: string, folder: string): Promise<string> {
  const image = `egresstrator-lab/${name}:test`;
  const dockerfile = join(mkdtempSync(join(tmpdir(), 'egresstrator-')), 'Dockerfile');
  writeFileSync(dockerfile, `FROM ${lab.workloadImage}\nCOPY . /\n`);
  await lab.docker('build', '--quiet', '--tag', image, '--file', dockerfile, folder);
  rmSync(dirname(dockerfile), { recursive: true });
  return image;
}
