/**
 * The body of the request that creates a helper, with all restrictions on it.
 */
import { argumentsOf, type Command, programInImage, sandboxInHelper } from './runner.ts';

export interface HelperSpec {
  readonly image: string;
  readonly command: Command;
  /** `container:<id>`, `none`, or `host`. */
  readonly networkMode: string;
  /** The Engine's own file of the namespace, to compare it with the namespace that the helper is in. */
  readonly sandbox: string | undefined;
  /** True if the helper must enter that file itself. Needs SYS_ADMIN. */
  readonly entersSandbox: boolean;
  readonly stdin: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly memory: number;
  readonly capabilities: readonly string[];
}

export const helperBody = (spec: HelperSpec): object => ({
  Image: spec.image,
  Entrypoint: [
    ...(spec.entersSandbox ? ['nsenter', `--net=${sandboxInHelper}`] : []),
    programInImage(spec.command),
  ],
  Cmd: argumentsOf(spec.command),
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
  Labels: spec.labels,
  HostConfig: hostConfig(spec),
});

const hostConfig = ({ networkMode, memory, capabilities, sandbox, entersSandbox }: HelperSpec): object => ({
  NetworkMode: networkMode,
  CapDrop: ['ALL'],
  CapAdd: entersSandbox ? [...capabilities, 'SYS_ADMIN'] : capabilities,
  Mounts: sandbox === undefined ? [] : [mountOf(sandbox)],
  SecurityOpt: ['no-new-privileges'],
  ReadonlyRootfs: true,
  // The namespace belongs to the host's user namespace even if the Engine remaps users.
  UsernsMode: 'host',
  IpcMode: 'none',
  Memory: memory,
  // Without this, the same amount could be swapped in addition.
  MemorySwap: memory,
  PidsLimit: 64,
  LogConfig: { Type: 'none', Config: {} },
  Init: false,
  AutoRemove: false,
  RestartPolicy: { Name: 'no' },
});

const mountOf = (sandbox: string): object => ({
  Type: 'bind',
  Source: sandbox,
  Target: sandboxInHelper,
  ReadOnly: true,
});
