/**
 * Workloads that try to delay or mislead the load of their own rules. During the attempt, the granted key must work,
 * and flows to a port removed from it must be cut.
 */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { execa } from 'execa';
import { callEngine } from '../../lab/engine/api.ts';
import type { Attacker } from './attacker.ts';
import { type Attempt, enabledByVariables } from './attempts.ts';

/** Whether the Engine fails to read the container's resolv.conf. */
const archiveFails = async ({ testbed, id }: Attacker): Promise<boolean> => {
  const path = `/containers/${id}/archive?path=/etc/resolv.conf`;
  return (await callEngine(testbed.engine.socketPath, 'HEAD', path)).status === 500;
};

/** A lease makes opening the file wait until the kernel breaks the lease, 45 s. */
async function openingHangs(attacker: Attacker): Promise<boolean> {
  const { ResolvConfPath } = await attacker.inspect();
  const { timedOut } = await execa('cat', [ResolvConfPath], { reject: false, timeout: 500 });
  return timedOut;
}

const statOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8');

/** Mounts this machine's programs. A static program in the image could do the same. */
const withPerl = ['--volume', '/usr:/usr:ro'];
const lease =
  "/usr/bin/perl -e '$SIG{IO} = q(IGNORE); open(F, q(+<), q(/etc/resolv.conf)) or die; while (1) { fcntl(F, 1024, 1); select(undef, undef, undef, 0.02) }' &";

const resolvConfIs = (fits: (file: string) => boolean) => async (attacker: Attacker) =>
  fits((await attacker.inspect()).ResolvConfPath);

const attempts: readonly Omit<Attempt, 'isGranted'>[] = [
  {
    name: "reading resolv.conf always fails: root makes a volume's folder a symlink loop",
    image: { more: { Volumes: { '/p/data': {} } } },
    options: enabledByVariables,
    script: 'mv /p /q; ln -s /p /p; : >/etc/resolv.conf',
    hasEffect: archiveFails,
  },
  {
    name: 'reading resolv.conf always fails: the same by nobody, without capabilities',
    image: { more: { Volumes: { '/w/p/data': {} }, User: '65534:65534' } },
    options: [...enabledByVariables, '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    script: 'mv /w/p /w/q; ln -s /w/p /w/p',
    hasEffect: archiveFails,
  },
  {
    name: 'resolv.conf of 10 GB',
    options: enabledByVariables,
    script: 'truncate -s 10G /etc/resolv.conf',
    hasEffect: resolvConfIs((file) => statSync(file).size > 10 ** 10),
  },
  {
    name: 'resolv.conf is rewritten continuously',
    options: enabledByVariables,
    script: 'while usleep 20000; do echo nameserver 127.0.0.11 >/etc/resolv.conf; done &',
    hasEffect: resolvConfIs((file) => Date.now() - statSync(file).mtimeMs < 200),
  },
  {
    name: 'resolv.conf is empty',
    options: enabledByVariables,
    script: ': >/etc/resolv.conf',
    hasEffect: resolvConfIs((file) => statSync(file).size === 0),
  },
  {
    name: 'resolv.conf names a resolver of the attacker',
    options: enabledByVariables,
    target: { at: 'denied', port: 53 },
    script:
      'printf "nameserver %s\\n# ExtServers: [%s]\\nnameserver 127.0.0.11\\n" $DENIED $DENIED >/etc/resolv.conf',
    hasEffect: resolvConfIs((file) => readFileSync(file, 'utf8').includes('ExtServers')),
  },
  {
    name: 'a lease on resolv.conf, by root in the container',
    options: [...enabledByVariables, ...withPerl],
    script: lease,
    hasEffect: openingHangs,
  },
  {
    name: 'a lease on resolv.conf, by a container that shares the namespace',
    options: enabledByVariables,
    afterStart: async ({ testbed, id }) => {
      const label = `egresstrator-test=${testbed.workloads.prefix}`;
      const options = ['--detach', '--network', `container:${id}`, '--label', label, ...withPerl];
      const image = 'hostile:plain';
      await testbed.must('run', ...options, image, 'sh', '-c', `${lease}\nwhile sleep 1000; do :; done`);
    },
    hasEffect: openingHangs,
  },
  {
    name: 'a process name that imitates the rest of its line in /proc',
    options: enabledByVariables,
    script: "printf 'x) R 1\\n1 1 ' >/proc/1/comm",
    hasEffect: async (attacker) => statOf((await attacker.inspect()).State.Pid).includes('x) R 1\n1'),
  },
  {
    name: 'a key with a service that cannot be read',
    options: ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=db,slow'],
    hasEffect: async ({ testbed }) =>
      (await testbed.consul.call('GET', '/v1/health/service/web?dc=dc9', '')).status >= 400,
  },
  {
    name: 'a container that is paused',
    options: enabledByVariables,
    afterStart: async ({ testbed, id }) => {
      const hasTried = async () => (await testbed.docker('logs', id)).stdout.includes('tried');
      while (!(await hasTried()));
      await testbed.must('pause', id);
    },
    hasEffect: async (attacker) => (await attacker.inspect()).State.Paused,
  },
  {
    name: 'the first process moves to a network namespace of its own',
    options: [...enabledByVariables, '--security-opt', 'seccomp=unconfined'],
    script: "exec unshare -U -n sh -c 'while sleep 1000; do :; done'",
    hasEffect: async (attacker) => {
      const { State, NetworkSettings } = await attacker.inspect();
      const own = readlinkSync(`/proc/${State.Pid}/ns/net`);
      return own !== `net:[${statSync(NetworkSettings.SandboxKey).ino}]`;
    },
  },
  {
    name: 'the container uses all processes of its limit',
    options: [...enabledByVariables, '--pids-limit', '20'],
    script: '(for i in $(seq 40); do sleep 1000 & done) 2>/dev/null; exec sleep 1000',
    hasEffect: async ({ testbed, id }) => (await testbed.docker('exec', id, 'true')).code !== 0,
  },
];

export const loadDelays: readonly Attempt[] = attempts.map((one) => ({ ...one, isGranted: true }));
