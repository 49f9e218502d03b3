/**
 * Each way round the rules that is reported is tried on a real Engine: from a container of that kind it works,
 * from its harmless neighbour it does not, and the one is reported and the other is not.
 */
import { dirname } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ContainerReader } from '../../src/sources/docker/container-reader.ts';
import { ENGINES } from '../support/engines.ts';
import { ensureTestImage } from '../support/helper-image.ts';
import { type DockerLab, openDockerLab } from './docker-lab.ts';

/** Says `works` or why not. SOCK, P: see below. */
const PROOFS = {
  socket: `use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => $ENV{SOCK}) or die "no: $!";
    print $s "GET /version HTTP/1.0\\r\\n\\r\\n"; print <$s> =~ / 200 / ? "works" : "no answer"`,
  // The inode of the root folder is 2 on ext4, 128 on xfs; the handle is of the file system of a file that Docker mounts.
  handle: `open(my $m, "<", "/etc/hosts"); for my $inode (2, 128, 64, 256) {
    my $handle = pack("LlLL", 8, 1, $inode, 0); my $fd = syscall(304, fileno($m), $handle, 0);
    if ($fd >= 0) { print "works"; exit } } print "no: $!"`,
  process: `my $p = $ENV{P} + 0; print -e "/proc/$p/root/bin" && open(my $f, "+<", "/proc/$p/mem") ? "works" : "no: $!"`,
  files: `print -e "$ENV{PROC}/$ENV{P}/root/bin" ? "works" : "no: $!"`,
  write: `print open(my $f, ">>", $ENV{FILE}) ? "works" : "no: $!"`,
  disk: `print open(my $f, "<", $ENV{FILE}) ? "works" : "no: $!"`,
  makeDisk: `my $path = "/tmp/disk"; syscall(133, $path, 0060600, 7 << 8); print open(my $f, "<", $path) ? "works" : "no: $!"`,
} as const;

describe.each(ENGINES)('Engine %s', (version) => {
  let lab: DockerLab;
  let image: string;
  beforeAll(async () => {
    lab = await openDockerLab(version);
    // For its Perl.
    image = await ensureTestImage(lab);
  }, 300_000);

  /** What a container that is made so says, and whether it is reported. */
  async function attempt(proof: keyof typeof PROOFS, options: readonly string[], environment: object = {}) {
    const variables = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const id = await lab.docker(
      'create',
      '--network',
      'none',
      ...variables,
      ...['--entrypoint', 'perl', ...options],
      ...[image, '-e'],
      PROOFS[proof],
    );
    try {
      const output = await lab.docker('start', '--attach', id).catch((error: unknown) => String(error));
      const { bypasses } = await new ContainerReader(lab.engine).read(id);
      return { works: output.includes('works'), reported: bypasses?.length !== 0 };
    } finally {
      await lab.engine.remove(id);
    }
  }

  const GETS_ROUND = { works: true, reported: true };
  const STOPPED = { works: false, reported: false };

  test('a mount of a folder above the socket of the Engine, read-only', async () => {
    const { socketPath } = lab;
    const mounts = [
      ...[
        ['/', `/host${socketPath}`],
        ['/run', `/host${socketPath.replace('/run', '')}`],
      ],
      ...[
        ['/var/run', `/host${socketPath.replace('/run', '')}`],
        [dirname(socketPath), '/host/docker.sock'],
        [socketPath, '/host'],
      ],
    ];
    for (const [source, SOCK] of mounts)
      expect([source, await attempt('socket', ['--volume', `${source}:/host:ro`], { SOCK })]).toEqual([
        source,
        GETS_ROUND,
      ]);
    const harmless = [
      '--volume',
      '/etc/localtime:/etc/localtime:ro',
      '--volume',
      '/etc/ssl/certs:/host',
      '--volume',
      '/data',
    ];
    expect(await attempt('socket', harmless, { SOCK: `/host${socketPath}` })).toEqual(STOPPED);
  }, 120_000);

  test('a mount that another container brings along', async () => {
    const SOCK = '/host/docker.sock';
    const holder = await lab.docker('create', '--volume', `${dirname(lab.socketPath)}:/host`, image, 'true');
    try {
      expect(await attempt('socket', ['--volumes-from', holder], { SOCK })).toEqual(GETS_ROUND);
    } finally {
      await lab.engine.remove(holder);
    }
  }, 60_000);

  test('processes of others: those that hold no more than it does', async () => {
    const other = await lab.startRunning(['sleep', '300'], '--network', 'none');
    const { pid } = await new ContainerReader(lab.engine).read(other);
    expect(await attempt('process', ['--pid', 'host'], { P: pid })).toEqual(GETS_ROUND);
    expect(await attempt('process', ['--pid', `container:${other}`], { P: 1 })).toEqual(GETS_ROUND);
    expect(await attempt('process', ['--cap-add', 'SYS_PTRACE'], { P: pid })).toEqual(STOPPED);
    const mount = ['--volume', '/proc:/host:ro'];
    expect(await attempt('files', mount, { P: pid, PROC: '/host' })).toEqual(GETS_ROUND);
    expect(await attempt('files', [], { P: pid, PROC: '/proc' })).toEqual(STOPPED);
  }, 60_000);

  test('files of the host by their handles, with CAP_DAC_READ_SEARCH', async () => {
    expect(await attempt('handle', ['--cap-add', 'DAC_READ_SEARCH'])).toEqual(GETS_ROUND);
    expect(await attempt('handle', [])).toEqual(STOPPED);
  }, 60_000);

  test('what the host obeys, where it may be written to', async () => {
    const FILE = '/host/sys/kernel/core_pattern';
    expect(await attempt('write', ['--volume', '/proc:/host'], { FILE })).toEqual(GETS_ROUND);
    expect(await attempt('write', [], { FILE: '/proc/sys/kernel/core_pattern' })).toEqual(STOPPED);
    expect(await attempt('write', ['--volume', '/etc:/host'], { FILE: '/host/passwd' })).toEqual(GETS_ROUND);
  }, 60_000);

  test('disks', async () => {
    expect(await attempt('disk', ['--device', '/dev/loop0'], { FILE: '/dev/loop0' })).toEqual(GETS_ROUND);
    expect(await attempt('makeDisk', ['--device-cgroup-rule', 'b *:* rwm'])).toEqual(GETS_ROUND);
    expect(await attempt('makeDisk', [])).toEqual(STOPPED);
    expect(await attempt('disk', ['--volume', '/dev:/host'], { FILE: '/host/loop0' })).toEqual(STOPPED);
  }, 60_000);
});
