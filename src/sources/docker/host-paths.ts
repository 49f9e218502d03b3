/**
 * Paths of the host by which a container can take over the host, and with it its own rules: sockets that control the
 * host, processes, and files that the host runs or reads as settings.
 *
 * A mount is checked by its source. A folder includes everything below it, so a mount of `/` or `/run` includes the
 * Engine's socket. A read-only mount is enough to connect to a socket.
 */
import { posix } from 'node:path';

/** Of the Engine's inspect JSON. */
export interface Mount {
  readonly Type?: string | null | undefined;
  readonly Source?: string | null | undefined;
  readonly Destination?: string | null | undefined;
  readonly RW?: boolean | null | undefined;
}

/** Where the Engine of this host has its socket and its data. */
export interface EnginePaths {
  readonly socket: string | undefined;
  readonly dataRoot: string;
}

/** Sockets of an Engine and of the programs below it: whoever can connect is root on the host. */
const SOCKETS = [
  ...['/run/docker.sock', '/run/containerd/containerd.sock', '/run/docker/containerd/containerd.sock'],
  ...[
    '/run/podman/podman.sock',
    '/run/crio/crio.sock',
    '/run/systemd/private',
    '/run/dbus/system_bus_socket',
  ],
];

/** Files that the host runs or reads as settings: whoever can write to one controls the host. */
const USED_BY_HOST = [
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

/** Subfolders of Docker's data folder with the state and files of containers. Volumes are not listed. */
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

/** Each completes "it can remove its rules: it …". */
export function bypassesByMount(
  { Type, Source, Destination, RW }: Mount,
  { socket, dataRoot }: EnginePaths,
): readonly string[] {
  const source = hostPath(Source ?? '');
  if (source === '' || (Type !== 'bind' && Type !== undefined && Type !== null)) return [];
  const sockets = [...SOCKETS, ...(socket === undefined ? [] : [hostPath(socket)])];
  const isNamed = [source, Destination ?? ''].some((path) =>
    /\/(?:docker|containerd|podman)\.sock$/.test(path),
  );
  if (isNamed || sockets.some((one) => holds(source, one)))
    return [`has a mount of ${source}, which has a socket that controls the host`];
  if (holds(source, '/proc') || /^\/proc\/\d+(?:\/root)?$/.test(source))
    return [`has a mount of ${source}, which leads to all files of the host`];
  if (RW === false) return [];
  const used = [...USED_BY_HOST, ...ENGINES_OWN.map((name) => posix.join(dataRoot, name))];
  const isUsed = used.some((path) => holds(source, path) || holds(path, source));
  return isUsed ? [`can write to ${source} of the host, whose files the host runs or reads as settings`] : [];
}

/** Whether `folder` is `path`, or a folder above it. */
const holds = (folder: string, path: string): boolean =>
  folder === path || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);

/** `/var/run` is `/run` on every Linux that Docker supports. */
export const hostPath = (path: string): string =>
  path.startsWith('/')
    ? posix
        .normalize(path)
        .replace(/(?<=.)\/$/, '')
        .replace(/^\/var\/run(?=\/|$)/, '/run')
    : '';
