/**
 * A workload that would hold up, or lead astray, the load of its own rules. Its runner's key is granted: that
 * must come, and what is taken from it must be cut, while the trick goes on.
 */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { execa } from 'execa';
import { callEngine } from '../../lab/engine/api.ts';
import type { Attacker } from './attacker.ts';
import { type Attempt, byVariables } from './attempts.ts';

/** What the Engine answers to who asks for the container's resolv.conf. */
const archiveFails = async ({ testbed, id }: Attacker): Promise<boolean> => {
  const path = `/containers/${id}/archive?path=/etc/resolv.conf`;
  return (await callEngine(testbed.engine.socketPath, 'HEAD', path)).status === 500;
};

/** Who opens the file waits until the kernel takes the lease away, 45 s. */
async function openingHangs(attacker: Attacker): Promise<boolean> {
  const { ResolvConfPath } = await attacker.see();
  const { timedOut } = await execa('cat', [ResolvConfPath], { reject: false, timeout: 500 });
  return timedOut;
}

const statOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8');

/** Programs of this machine: what they do, a static one of the image could. */
const withPerl = ['--volume', '/usr:/usr:ro'];
const lease =
  "/usr/bin/perl -e '$SIG{IO} = q(IGNORE); open(F, q(+<), q(/etc/resolv.conf)) or die; while (1) { fcntl(F, 1024, 1); select(undef, undef, undef, 0.02) }' &";

const resolvConfIs = (fits: (file: string) => boolean) => async (attacker: Attacker) =>
  fits((await attacker.see()).ResolvConfPath);

const attempts: readonly Omit<Attempt, 'isGranted'>[] = [
  {
    name: 'reading resolv.conf fails for ever, by root: a volume whose folder is a loop',
    image: { more: { Volumes: { '/p/data': {} } } },
    run: byVariables,
    trick: 'mv /p /q; ln -s /p /p; : >/etc/resolv.conf',
    hasEffect: archiveFails,
  },
  {
    name: 'reading resolv.conf fails for ever, by nobody with no capability',
    image: { more: { Volumes: { '/w/p/data': {} }, User: '65534:65534' } },
    run: [...byVariables, '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    trick: 'mv /w/p /w/q; ln -s /w/p /w/p',
    hasEffect: archiveFails,
  },
  {
    name: 'resolv.conf of 10 GB',
    run: byVariables,
    trick: 'truncate -s 10G /etc/resolv.conf',
    hasEffect: resolvConfIs((file) => statSync(file).size > 10 ** 10),
  },
  {
    name: 'resolv.conf is written without end',
    run: byVariables,
    trick: 'while usleep 5000; do echo nameserver 127.0.0.11 >/etc/resolv.conf; done &',
    hasEffect: resolvConfIs((file) => Date.now() - statSync(file).mtimeMs < 200),
  },
  {
    name: 'resolv.conf is empty',
    run: byVariables,
    trick: ': >/etc/resolv.conf',
    hasEffect: resolvConfIs((file) => statSync(file).size === 0),
  },
  {
    name: 'resolv.conf names a resolver of the attacker',
    run: byVariables,
    target: { at: 'denied', port: 53 },
    trick:
      'printf "nameserver %s\\n# ExtServers: [%s]\\nnameserver 127.0.0.11\\n" $DENIED $DENIED >/etc/resolv.conf',
    hasEffect: resolvConfIs((file) => readFileSync(file, 'utf8').includes('ExtServers')),
  },
  {
    name: 'a lease on resolv.conf, by root inside',
    run: [...byVariables, ...withPerl],
    trick: lease,
    hasEffect: openingHangs,
  },
  {
    name: 'a lease on resolv.conf, by a container that shares the namespace',
    run: byVariables,
    after: async ({ testbed, id }) => {
      const label = `egresstrator-test=${testbed.workloads.prefix}`;
      const options = ['--detach', '--network', `container:${id}`, '--label', label, ...withPerl];
      const image = 'hostile:plain';
      await testbed.must('run', ...options, image, 'sh', '-c', `${lease}\nwhile sleep 1000; do :; done`);
    },
    hasEffect: openingHangs,
  },
  {
    name: 'a process whose name looks like the rest of its line in /proc',
    run: byVariables,
    trick: "printf 'x) R 1\\n1 1 ' >/proc/1/comm",
    hasEffect: async (attacker) => statOf((await attacker.see()).State.Pid).includes('x) R 1\n1'),
  },
  {
    name: 'a key with a service that never answers',
    run: ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=db,slow'],
    hasEffect: async ({ testbed }) =>
      (await testbed.consul.call('GET', '/v1/health/service/web?dc=dc9', '')).status >= 400,
  },
  {
    name: 'a container that is paused',
    run: byVariables,
    after: async ({ testbed, id }) => {
      const said = async () => (await testbed.docker('logs', id)).stdout.includes('tried');
      while (!(await said()));
      await testbed.must('pause', id);
    },
    hasEffect: async (attacker) => (await attacker.see()).State.Paused,
  },
  {
    name: 'the first process moves to a network namespace of its own',
    run: [...byVariables, '--security-opt', 'seccomp=unconfined'],
    trick: "exec unshare -U -n sh -c 'while sleep 1000; do :; done'",
    hasEffect: async (attacker) => {
      const { State, NetworkSettings } = await attacker.see();
      const own = readlinkSync(`/proc/${State.Pid}/ns/net`);
      return own !== `net:[${statSync(NetworkSettings.SandboxKey).ino}]`;
    },
  },
  {
    name: 'all processes that it may have are taken',
    run: [...byVariables, '--pids-limit', '20'],
    trick: '(for i in $(seq 40); do sleep 1000 & done) 2>/dev/null; exec sleep 1000',
    hasEffect: async ({ testbed, id }) => (await testbed.docker('exec', id, 'true')).code !== 0,
  },
];

export const loadDelays: readonly Attempt[] = attempts.map((one) => ({ ...one, isGranted: true }));
