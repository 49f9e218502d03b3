/**
 * A lease on a file, such as root in a container can take on its resolv.conf: opening the file then waits
 * until the lease is released, or for 45 s (/proc/sys/fs/lease-break-time).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** F_SETLEASE with F_WRLCK. The kernel demands it back by SIGIO, which the program ignores. */
const PROGRAM = `open(F, '+<', $ARGV[0]) or die; $SIG{IO} = 'IGNORE'; $| = 1;
fcntl(F, 1024, 1) or die "no lease: $!"; print "leased\\n"; sleep 300`;

/** Resolves once the lease is held, by a process outside of any container, until it is disposed of. */
export async function leaseOn(path: string): Promise<Disposable> {
  const holder = spawn('perl', ['-e', PROGRAM, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  return { [Symbol.dispose]: () => void holder.kill() };
}
