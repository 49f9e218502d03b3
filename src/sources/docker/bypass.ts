/**
 * What lets a container undo its own rules or send from another network, told from how it was made: each way in
 * words of its own. Tried on real Engines by test/integration/bypass.test.ts, the harmless neighbours as well.
 *
 * A mount counts by its source on the host. A folder holds all below it, so a mount of `/` or `/run` is one of
 * the Engine's socket too; and to connect to a socket, a read-only mount is enough.
 */
import { posix } from 'node:path';
import { z } from 'zod';

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
type Mount = z.infer<typeof mountsSchema>[number];

export interface Made {
  readonly HostConfig: HostConfig;
  readonly Mounts: readonly Mount[];
  /** `<data root>/containers/<id>/resolv.conf` */
  readonly ResolvConfPath?: string | null | undefined;
}

/** Each completes "it could undo its rules: it …". `socket`: where the Engine listens, if that is a path. */
export function bypassesOf(made: Made, socket?: string): readonly string[] {
  const { HostConfig, Mounts } = made;
  if (HostConfig.Privileged) return ['is privileged'];
  return [
    ...Object.entries(MIGHTY).flatMap(([name, why]) =>
      holdsCapability(HostConfig, name, false) ? [`holds CAP_${name}${why}`] : [],
    ),
    ...processes(HostConfig),
    ...devices(HostConfig),
    ...new Set(Mounts.flatMap((mount) => ofMount(mount, made, socket))),
  ];
}

/** What makes root inside as good as root on the host, where rules are no bar. */
const MIGHTY: Readonly<Record<string, string>> = {
  NET_ADMIN: '',
  SYS_ADMIN: '',
  SYS_MODULE: '',
  SYS_RAWIO: ', which drives the hardware',
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
const MIGHTY_DEVICE =
  /^\/dev\/(?:$|(?:k?mem|port|mapper|disk|block|bsg)(?:\/|$)|(?:sd|hd|vd|xvd|nvme|mmcblk|dm-|md|loop|nbd|sg)[a-z0-9])/;

const devices = ({ Devices, DeviceCgroupRules }: HostConfig): readonly string[] => [
  ...Devices.flatMap(({ PathOnHost }) => {
    const path = normal(PathOnHost ?? '');
    return MIGHTY_DEVICE.test(path === '/dev' ? '/dev/' : path) ? [`has the device ${path}`] : [];
  }),
  ...DeviceCgroupRules.flatMap((rule) =>
    /^(?:[ab]\s|c\s+(?:1|\*):)/.test(rule) ? [`may make devices of its own ("${rule}")`] : [],
  ),
];

/** An Engine's socket, or one of what is below it: who may connect is root on the host. */
const SOCKETS = [
  ...['/run/docker.sock', '/run/containerd/containerd.sock', '/run/docker/containerd/containerd.sock'],
  ...[
    '/run/podman/podman.sock',
    '/run/crio/crio.sock',
    '/run/systemd/private',
    '/run/dbus/system_bus_socket',
  ],
];

/** Files that the host runs, or obeys; who may write to one of them has the host do what he likes. */
const OBEYED = [
  ...['/bin', '/sbin', '/lib', '/lib64', '/usr/bin', '/usr/sbin', '/usr/lib', '/usr/lib64', '/usr/libexec'],
  ...['/usr/local/bin', '/usr/local/sbin', '/usr/local/lib', '/opt/cni', '/opt/containerd', '/boot', '/root'],
  ...['/etc/passwd', '/etc/shadow', '/etc/group', '/etc/sudoers', '/etc/sudoers.d', '/etc/pam.d', '/etc/ssh'],
  ...['/etc/docker', '/etc/containerd', '/etc/cni', '/etc/systemd', '/etc/init.d', '/etc/profile.d'],
  ...[
    '/etc/crontab',
    '/etc/cron.d',
    '/etc/cron.hourly',
    '/etc/cron.daily',
    '/etc/cron.weekly',
    '/etc/cron.monthly',
  ],
  ...['/etc/ld.so.preload', '/etc/ld.so.conf.d', '/etc/modprobe.d', '/etc/udev', '/var/spool/cron'],
  ...[
    '/var/lib/containerd',
    '/var/lib/egresstrator',
    '/run/egresstrator',
    '/proc/sys',
    '/proc/sysrq-trigger',
  ],
  ...['/sys/kernel', '/sys/module', '/sys/fs/bpf'],
];

/** Of Docker's own folder: what it believes of containers, and what these run; volumes are nobody's business. */
const ENGINES_OWN = [
  'containers',
  'image',
  'overlay2',
  'plugins',
  'runtimes',
  'network',
  'rootfs',
  'fuse-overlayfs',
];

function ofMount({ Type, Source, Destination, RW }: Mount, made: Made, socket: string | undefined): string[] {
  const source = normal(Source ?? '');
  if (source === '' || (Type !== 'bind' && Type !== undefined && Type !== null)) return [];
  const sockets = [...SOCKETS, ...(socket === undefined ? [] : [normal(socket)])];
  const isNamed = [source, Destination ?? ''].some((path) =>
    /\/(?:docker|containerd|podman)\.sock$/.test(path),
  );
  if (isNamed || sockets.some((one) => holds(source, one)))
    return [`has a mount of ${source}, in which a socket is that commands the host`];
  if (holds(source, '/proc') || /^\/proc\/\d+(?:\/root)?$/.test(source))
    return [`has a mount of ${source}, where the host's processes lead to all of its files`];
  if (RW === false) return [];
  const root = dataRoot(made);
  const obeyed = [...OBEYED, ...ENGINES_OWN.map((name) => posix.join(root, name))];
  const isObeyed = obeyed.some((path) => holds(source, path) || holds(path, source));
  return isObeyed ? [`may write to ${source} of the host, which runs or obeys what is there`] : [];
}

/** Whether `folder` is `path`, or a folder above it. */
const holds = (folder: string, path: string): boolean =>
  folder === path || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);

/** `/var/run` is `/run` on every Linux that Docker supports. */
const normal = (path: string): string =>
  path.startsWith('/')
    ? posix
        .normalize(path)
        .replace(/(?<=.)\/$/, '')
        .replace(/^\/var\/run(?=\/|$)/, '/run')
    : '';

const dataRoot = ({ ResolvConfPath }: Made): string =>
  /^(\/.*)\/containers\/[^/]+\/[^/]+$/.exec(ResolvConfPath ?? '')?.[1] ?? '/var/lib/docker';

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
