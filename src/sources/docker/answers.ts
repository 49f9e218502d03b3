/**
 * Parses the Engine's answers into our types. Pure: JSON in, value out; throws an `EngineAnswerError` for anything
 * else. Fields that we do not use are not in the schemas, so that additions of a newer Engine break nothing. `what`
 * completes "could not …".
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseAddress } from '../../net/address.ts';
import type { EngineInfo, ImageSummary, LabelledContainer, RunningContainer } from './engine.ts';
import { EngineAnswerError } from './errors.ts';

const labels = z.record(z.string(), z.string()).nullish();

const infoSchema = z.object({
  ServerVersion: z.string(),
  CgroupVersion: z.string().nullish(),
  SecurityOptions: z.array(z.string()).nullish(),
  DriverStatus: z.array(z.array(z.string())).nullish(),
  DockerRootDir: z.string().nullish(),
  DefaultRuntime: z.string().nullish(),
  Runtimes: z.record(z.string(), z.object({ path: z.string().nullish() })).nullish(),
});

export function infoFrom(json: unknown, what: string): EngineInfo {
  const info = read(infoSchema, json, what);
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
    rootDir: info.DockerRootDir ?? '/var/lib/docker',
    defaultRuntime: info.DefaultRuntime ?? undefined,
    runtimes: new Map(
      Object.entries(info.Runtimes ?? {}).flatMap(([name, { path }]) => (path ? [[name, path]] : [])),
    ),
  };
}

const runningSchema = z.array(
  z.looseObject({
    Id: z.string(),
    /** The time since its start, such as `Up 2 minutes (healthy)`. */
    Status: z.string().nullish(),
  }),
);

/**
 * The digest leaves out ports, which the Engine lists in no order, and the status text, which changes by itself.
 */
export const runningFrom = (json: unknown, what: string): readonly RunningContainer[] =>
  read(runningSchema, json, what).map(
    ({ Id: id, Status, Names, Labels, State, HostConfig, NetworkSettings }) => ({
      id,
      digest: hash('sha256', JSON.stringify([Names, Labels, State, HostConfig, NetworkSettings])),
      isSettled: SETTLED.test(Status ?? ''),
    }),
  );

/** In the first two minutes the Engine writes "Up 5 seconds", "Up About a minute" and the like. */
const SETTLED = /^Up (About an hour|\d+ (minutes|hours|days|weeks|months|years))\b/;

const endpointSchema = z.object({
  NetworkID: z.string().nullish(),
  IPAMConfig: z.object({ IPv4Address: z.string().nullish(), IPv6Address: z.string().nullish() }).nullish(),
});

const labelledSchema = z.array(
  z.object({
    ...{ Id: z.string(), Names: z.array(z.string()).nullish(), Labels: labels },
    NetworkSettings: z
      .object({ Networks: z.record(z.string(), endpointSchema.nullish()).nullish() })
      .nullish(),
  }),
);

export const labelledFrom = (json: unknown, what: string): readonly LabelledContainer[] =>
  read(labelledSchema, json, what).map(({ Id, Names, Labels, NetworkSettings }) => ({
    ...{ id: Id, names: Names ?? [], labels: Labels ?? {} },
    staticAddresses: Object.values(NetworkSettings?.Networks ?? {}).flatMap(staticAddresses),
  }));

const staticAddresses = (end: z.infer<typeof endpointSchema> | null | undefined) =>
  [end?.IPAMConfig?.IPv4Address, end?.IPAMConfig?.IPv6Address].flatMap((text) => {
    const address = parseAddress(text ?? '');
    return address === undefined || !end?.NetworkID ? [] : { network: end.NetworkID, address };
  });

const imageSchema = z.object({
  Id: z.string(),
  Descriptor: z.object({ digest: z.string().nullish() }).nullish(),
  Config: z.object({ Labels: labels, Env: z.array(z.string()).nullish() }).nullish(),
});

export function imageFrom(json: unknown, what: string): ImageSummary {
  const { Id, Config, Descriptor } = read(imageSchema, json, what);
  return {
    id: Id,
    manifest: Descriptor?.digest ?? undefined,
    environment: Config?.Env ?? [],
    labels: Config?.Labels ?? {},
  };
}

const imagesSchema = z.array(z.object({ RepoTags: z.array(z.string()).nullish() }));

export const imageNamesFrom = (json: unknown, what: string): readonly string[] =>
  read(imagesSchema, json, what)
    .flatMap(({ RepoTags }) => RepoTags ?? [])
    .filter((name) => !name.includes('<none>'));

const waitSchema = z.object({ StatusCode: z.number() });

export const exitCodeFrom = (json: unknown, what: string): number => read(waitSchema, json, what).StatusCode;

export function read<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined ? '' : `: ${issue.path.join('.')}: ${issue.message}`;
  throw new EngineAnswerError(`The Docker Engine's answer cannot be read: could not ${what}${where}.`);
}
