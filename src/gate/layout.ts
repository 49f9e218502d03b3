/**
 * The paths of the gate's files. `root` is where the host's file system is visible from here: `/`, or the folder where
 * a container has it mounted. All other paths are those on the host.
 */
import { join } from 'node:path';
import { DEFAULT_RUN_DIR } from './names.ts';

export interface GateSettings {
  readonly root: string;
  readonly libDir: string;
  readonly runDir: string;
  /** The Engine's daemon.json; undefined: the file that the running dockerd reads. */
  readonly config: string | undefined;
  /** The real OCI runtime; undefined: the one that the Engine would use without the gate. */
  readonly runtime: string | undefined;
  /** The Engine's socket, as visible from here. */
  readonly socketPath: string;
  /** Milliseconds for the Engine to read a changed daemon.json. */
  readonly reloadTimeout: number;
}

export const DEFAULT_GATE_SETTINGS: GateSettings = {
  root: '/',
  libDir: '/usr/local/lib/egresstrator/gate',
  runDir: DEFAULT_RUN_DIR,
  config: undefined,
  runtime: undefined,
  socketPath: '/var/run/docker.sock',
  reloadTimeout: 15_000,
};

/** The name of the runtime in daemon.json, and in `docker run --runtime …`. */
export const RUNTIME = 'egresstrator';

/** A path of the host, as visible from here. */
export const onHost = ({ root }: Pick<GateSettings, 'root'>, path: string): string => join(root, path);

export const runtimePath = ({ libDir }: Pick<GateSettings, 'libDir'>): string => join(libDir, 'runtime');
