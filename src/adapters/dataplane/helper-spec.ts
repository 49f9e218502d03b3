/**
 * The body of the call that creates a helper: everything it may not do is said here.
 */
import { programInImage, type Verb } from './runner.ts';

export const roleLabel = 'egresstrator.role';
export const instanceLabel = 'egresstrator.instance';
/** Seconds since the epoch after which nobody waits for this helper any more. */
export const expiresLabel = 'egresstrator.expires';

export interface HelperSpec {
  readonly image: string;
  readonly verb: Verb;
  /** `container:<id>` or `none`. */
  readonly networkMode: string;
  readonly stdin: boolean;
  readonly instance: string;
  /** Seconds since the epoch. */
  readonly expires: number;
  /** Bytes. */
  readonly memory: number;
}

export const helperBody = (spec: HelperSpec): object => ({
  Image: spec.image,
  Entrypoint: [programInImage],
  Cmd: [spec.verb],
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  User: '0:0',
  WorkingDir: '/',
  Tty: false,
  OpenStdin: spec.stdin,
  StdinOnce: spec.stdin,
  AttachStdin: spec.stdin,
  AttachStdout: true,
  AttachStderr: true,
  Healthcheck: { Test: ['NONE'] },
  Labels: {
    [roleLabel]: 'helper',
    [instanceLabel]: spec.instance,
    [expiresLabel]: String(spec.expires),
  },
  HostConfig: hostConfig(spec),
});

const hostConfig = ({ networkMode, memory }: HelperSpec): object => ({
  NetworkMode: networkMode,
  CapDrop: ['ALL'],
  CapAdd: ['NET_ADMIN'],
  SecurityOpt: ['no-new-privileges'],
  ReadonlyRootfs: true,
  // The namespace belongs to the host's user namespace even where the Engine remaps users.
  UsernsMode: 'host',
  IpcMode: 'none',
  Memory: memory,
  // Without this the same amount again may be swapped out.
  MemorySwap: memory,
  PidsLimit: 64,
  LogConfig: { Type: 'none', Config: {} },
  Init: false,
  AutoRemove: false,
  RestartPolicy: { Name: 'no' },
});
