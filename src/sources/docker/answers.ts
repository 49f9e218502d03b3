/**
 * The Engine's answers are `unknown` until a schema has read them. What we do not use is not asked for, so
 * that a newer Engine's additions break nothing.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import type { EngineInfo, RunningContainer } from './engine.ts';
import { EngineAnswerError } from './errors.ts';

const labels = z.record(z.string(), z.string()).nullish();

export const listSchema = z.array(
  z.object({ Id: z.string(), Names: z.array(z.string()).nullish(), Labels: labels }),
);

export const runningSchema = z.array(
  z.looseObject({
    Id: z.string(),
    /** The time since its start in words, `Up 2 minutes (healthy)`. */
    Status: z.string().nullish(),
  }),
);

export const waitSchema = z.object({ StatusCode: z.number() });

export const infoSchema = z.object({
  ServerVersion: z.string(),
  CgroupVersion: z.string().nullish(),
  SecurityOptions: z.array(z.string()).nullish(),
  DriverStatus: z.array(z.array(z.string())).nullish(),
});

export function infoFrom(info: z.infer<typeof infoSchema>): EngineInfo {
  const { ServerVersion, CgroupVersion, SecurityOptions, DriverStatus } = info;
  const has = (name: string) =>
    (SecurityOptions ?? []).some((option) => option.split(',').includes(`name=${name}`));
  return {
    version: ServerVersion,
    cgroup: CgroupVersion ?? undefined,
    isRootless: has('rootless'),
    remapsUsers: has('userns'),
    storesInContainerd: (DriverStatus ?? []).some(
      ([, value]) => value?.startsWith('io.containerd.') === true,
    ),
  };
}

export const imagesSchema = z.array(z.object({ RepoTags: z.array(z.string()).nullish() }));

export const imageSchema = z.object({
  Id: z.string(),
  Descriptor: z.object({ digest: z.string().nullish() }).nullish(),
  Config: z.object({ Labels: labels, Env: z.array(z.string()).nullish() }).nullish(),
});

/** Ports are left out, as they come in no order, and what changes by itself: the words for its age. */
export function runningFrom(listed: z.infer<typeof runningSchema>[number]): RunningContainer {
  const { Id: id, Status, Names, Labels, State, HostConfig, NetworkSettings } = listed;
  const look = hash('sha256', JSON.stringify([Names, Labels, State, HostConfig, NetworkSettings]));
  return { id, look, isSettled: SETTLED.test(Status ?? '') };
}

/** Below two minutes the Engine says "Up 5 seconds", "Up About a minute" and the like. */
const SETTLED = /^Up (About an hour|\d+ (minutes|hours|days|weeks|months|years))\b/;

/** `what` completes "could not …". */
export function read<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined ? '' : `: ${issue.path.join('.')}: ${issue.message}`;
  throw new EngineAnswerError(`The Docker Engine's answer cannot be read: could not ${what}${where}.`);
}
