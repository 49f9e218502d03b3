/**
 * Reads from the Engine how it is configured and which containers use the gate. Only over a unix socket: the gate is
 * installed on the Engine's own host.
 */
import { z } from 'zod';
import { connect } from '../sources/docker/connect.ts';
import type { Engine } from '../sources/docker/engine.ts';
import { EngineUnreachable, isHttpError } from '../sources/docker/errors.ts';
import { RUNTIME } from './layout.ts';

const Inspected = z.object({
  Name: z.string(),
  State: z.object({ Running: z.boolean() }),
  HostConfig: z.object({ Runtime: z.string().nullish() }),
});

export interface EngineFacts {
  readonly rootDir: string;
  readonly defaultRuntime: string | undefined;
  /** The path of the gate in the Engine's configuration; undefined if it is not registered. */
  readonly gatePath: string | undefined;
}

export interface GateUser {
  readonly name: string;
  readonly running: boolean;
}

/** Undefined if no Engine answers. Throws an `EngineError` for an answer that cannot be read. */
export async function engineFacts(socketPath: string): Promise<EngineFacts | undefined> {
  try {
    const { rootDir, defaultRuntime, runtimes } = await ask(socketPath, (engine) => engine.info());
    return { rootDir, defaultRuntime, gatePath: runtimes.get(RUNTIME) };
  } catch (error) {
    if (error instanceof EngineUnreachable) return undefined;
    throw error;
  }
}

/** The containers that use the gate as their runtime. */
export const gateUsers = (socketPath: string): Promise<readonly GateUser[]> =>
  ask(socketPath, async (engine) => {
    const users: GateUser[] = [];
    for (const { id } of await engine.all()) {
      const found = Inspected.safeParse(await engine.inspect(id).catch(undefinedIfGone));
      if (found.success && found.data.HostConfig.Runtime === RUNTIME) {
        users.push({ name: found.data.Name.replace(/^\//, ''), running: found.data.State.Running });
      }
    }
    return users;
  });

async function ask<T>(socketPath: string, question: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = connect({ socketPath });
  try {
    return await question(engine);
  } finally {
    engine.close();
  }
}

/** The container may have been removed since it was listed. */
function undefinedIfGone(error: unknown): undefined {
  if (!isHttpError(error, 404)) throw error;
}
