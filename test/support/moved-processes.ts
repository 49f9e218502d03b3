/**
 * Containers whose first process has left the container's network namespace. The other processes are the workload.
 */
import { ensureCommands } from '../../lab/apt.ts';

export interface MovedProcess {
  readonly what: string;
  /** More for `docker run`. */
  readonly options: readonly string[];
  readonly program: readonly string[];
  /** Before its first start. */
  prepare(): Promise<void>;
}

/** Needs user namespaces, as the sandbox of a browser does; Docker's seccomp profile rejects them. */
const moves: MovedProcess = {
  what: 'moves to a namespace of its own, and leaves a child',
  options: ['--security-opt', 'seccomp=unconfined'],
  program: ['sh', '-c', 'sleep 2147483647 & exec unshare -U -n sleep 2147483647'],
  prepare: async () => {},
};

/**
 * Needs no privilege. This machine's Python ends only its first thread: by system call 60 on x86-64, 93 on ARM.
 */
const script = `
import ctypes, platform, threading, time
threading.Thread(target=time.sleep, args=(1000000,)).start()
ctypes.CDLL(None).syscall(93 if platform.machine() == "aarch64" else 60, 0)
`;
const loses: MovedProcess = {
  what: 'ends its first thread, and has no namespace any more',
  options: [
    ...['/usr', '/lib', '/lib64'].flatMap((folder) => ['--volume', `${folder}:${folder}:ro`]),
    ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--user', '65534:65534'],
  ],
  program: ['/usr/bin/python3', '-c', script],
  prepare: () => ensureCommands({ python3: 'python3' }),
};

export const movedProcesses: readonly MovedProcess[] = [moves, loses];
