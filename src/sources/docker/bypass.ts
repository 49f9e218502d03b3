/**
 * Finds the ways in which a container can remove its rules or send from another network, from its configuration. Each
 * way has its own text. test/integration/bypass.test.ts tries them on real Engines, and also similar but harmless
 * configurations.
 */
import { z } from 'zod';
import { bypassesByMount, hostPath, type Mount } from './host-paths.ts';

const strings = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((list) => list ?? []);

/** Of `HostConfig` in the Engine's inspect JSON. */
export const hostConfigSchema = z.object({
  NetworkMode: z.string().nullish(),
  PidMode: z.string().nullish(),
  Privileged: z.boolean().nullish(),
  CapAdd: strings,
  CapDrop: strings,
  Devices: listOf(z.object({ PathOnHost: z.string().nullish() })),
  DeviceCgroupRules: strings,
});

export const mountsSchema = listOf(
  z.object({
    Type: z.string().nullish(),
    Source: z.string().nullish(),
    Destination: z.string().nullish(),
    RW: z.boolean().nullish(),
  }),
);

type HostConfig = z.infer<typeof hostConfigSchema>;

/** The configuration with which a container was created. */
export interface ContainerSpec {
  readonly HostConfig: HostConfig;
  readonly Mounts: readonly Mount[];
  /** `<data root>/containers/<id>/resolv.conf` */
  readonly ResolvConfPath?: string | null | undefined;
}

/** Each completes "it can remove its rules: it …". `socket`: where the Engine listens, if that is a path. */
export function bypassesOf(
  { HostConfig, Mounts, ResolvConfPath }: ContainerSpec,
  socket?: string,
): readonly string[] {
  if (HostConfig.Privileged) return ['is privileged'];
  const engine = { socket, dataRoot: dataRootOf(ResolvConfPath) };
  return [
    ...Object.entries(POWERFUL).flatMap(([name, why]) =>
      holdsCapability(HostConfig, name, false) ? [`holds CAP_${name}${why}`] : [],
    ),
    ...processes(HostConfig),
    ...devices(HostConfig),
    ...new Set(Mounts.flatMap((mount) => bypassesByMount(mount, engine))),
  ];
}

const dataRootOf = (resolvConf: string | null | undefined): string =>
  /^(\/.*)\/containers\/[^/]+\/[^/]+$/.exec(resolvConf ?? '')?.[1] ?? '/var/lib/docker';

/** Capabilities that make root in the container equal to root on the host. */
const POWERFUL: Readonly<Record<string, string>> = {
  NET_ADMIN: '',
  SYS_ADMIN: '',
  SYS_MODULE: '',
  SYS_RAWIO: ', which controls the hardware',
  DAC_READ_SEARCH: ', which opens files of the host by their handles',
};

/** Root may use the files and the memory of processes that hold no more than it does, in whatever network. */
function processes({ PidMode, NetworkMode }: HostConfig): readonly string[] {
  const mode = PidMode ?? '';
  if (mode === 'host') return ["has the host's processes (--pid host), some of which are in other networks"];
  const isElsewhere = mode.startsWith('container:') && mode !== NetworkMode;
  return isElsewhere ? ['has the processes of a container that is in another network (--pid)'] : [];
}

/** Disks hold the host's files, and memory its kernel. */
const POWERFUL_DEVICE =
  /^\/dev\/(?:$|(?:k?mem|port|mapper|disk|block|bsg)(?:\/|$)|(?:sd|hd|vd|xvd|nvme|mmcblk|dm-|md|loop|nbd|sg)[a-z0-9])/;

const devices = ({ Devices, DeviceCgroupRules }: HostConfig): readonly string[] => [
  ...Devices.flatMap(({ PathOnHost }) => {
    const path = hostPath(PathOnHost ?? '');
    return POWERFUL_DEVICE.test(path === '/dev' ? '/dev/' : path) ? [`has the device ${path}`] : [];
  }),
  ...DeviceCgroupRules.flatMap((rule) =>
    /^(?:[ab]\s|c\s+(?:1|\*):)/.test(rule) ? [`can create devices ("${rule}")`] : [],
  ),
];

/** Dropping wins over `ALL` and over the default, but not over a capability that is added by its name. */
export function holdsCapability(
  { Privileged, CapAdd, CapDrop }: Pick<HostConfig, 'Privileged' | 'CapAdd' | 'CapDrop'>,
  name: string,
  byDefault: boolean,
): boolean {
  if (Privileged) return true;
  const added = new Set(CapAdd.map(capability));
  const dropped = new Set(CapDrop.map(capability));
  if (added.has(name)) return true;
  if (dropped.has(name)) return false;
  return added.has('ALL') || (byDefault && !dropped.has('ALL'));
}

const capability = (name: string): string => name.toUpperCase().replace(/^CAP_/, '');
