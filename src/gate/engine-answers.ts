/**
 * The little that installing asks of the Engine: what it is, and which containers use the gate. Only over
 * a unix socket: the gate is installed on the Engine's own host.
 */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { EngineError, messageOf } from '../common/errors.ts';
import { RUNTIME } from './layout.ts';

const Info = z.object({
  DockerRootDir: z.string(),
  DefaultRuntime: z.string().nullish(),
  Runtimes: z.record(z.string(), z.object({ path: z.string().nullish() })).nullish(),
});

const List = z.array(z.object({ Id: z.string() }));
const Inspected = z.object({
  Name: z.string(),
  State: z.object({ Running: z.boolean() }),
  HostConfig: z.object({ Runtime: z.string().nullish() }),
});

export interface EngineFacts {
  readonly rootDir: string;
  readonly defaultRuntime: string | undefined;
  /** Where the Engine finds the gate; `undefined`: it does not know it. */
  readonly gatePath: string | undefined;
}

export interface GateUser {
  readonly name: string;
  readonly running: boolean;
}

/** `undefined` where no Engine answers. Throws an `EngineError` for an answer that cannot be read. */
export async function engineFacts(socketPath: string): Promise<EngineFacts | undefined> {
  const answer = await get(socketPath, '/info').catch((error: unknown) => {
    if (error instanceof EngineError) throw error;
  });
  if (answer === undefined) return undefined;
  const { DockerRootDir, DefaultRuntime, Runtimes } = read(Info, answer);
  return {
    rootDir: DockerRootDir,
    defaultRuntime: DefaultRuntime ?? undefined,
    gatePath: Runtimes?.[RUNTIME]?.path ?? undefined,
  };
}

/** The containers that are started, and ended, through the gate. */
export async function gateUsers(socketPath: string): Promise<readonly GateUser[]> {
  const users: GateUser[] = [];
  for (const { Id } of read(List, await get(socketPath, '/containers/json?all=1'))) {
    const answer = await get(socketPath, `/containers/${Id}/json`);
    const found = Inspected.safeParse(answer);
    if (found.success && found.data.HostConfig.Runtime === RUNTIME) {
      users.push({ name: found.data.Name.replace(/^\//, ''), running: found.data.State.Running });
    }
  }
  return users;
}

function get(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, timeout: 30_000 }, (response) => {
      text(response).then((answer) => resolve(parsed(answer)), reject);
    });
    call.on('timeout', () =>
      call.destroy(new EngineError(`The Docker Engine at ${socketPath} does not answer.`)),
    );
    call.on('error', reject);
    call.end();
  });
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch (error) {
    throw new EngineError(`The Docker Engine answered with invalid JSON: ${messageOf(error)}`);
  }
}

function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new EngineError(`The Docker Engine answered in an unknown way: ${z.prettifyError(result.error)}`);
}
