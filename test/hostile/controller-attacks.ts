/**
 * Ways round the controller itself: the Engine's socket by another name, its own API by another host's, and
 * rules that somebody changed while no controller watched.
 */
import { request } from 'node:http';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { freePorts } from '../../lab/ports.ts';
import { waitFor } from '../../lab/wait.ts';
import { byVariables, FORBIDDEN } from './attempts.ts';
import { type CustomAttempt, proves } from './custom-attempts.ts';

const mounts = (what: string, sourceOf: (socket: string) => string): CustomAttempt => ({
  name: `the Engine's socket in a mount of ${what}`,
  outcome: 'reported',
  make: async (kit) => {
    const { testbed } = kit;
    const socket = testbed.engine.socketPath;
    const source = sourceOf(socket);
    const attacker = await kit.run('plain', { run: [...byVariables, '--volume', `${source}:/host`] });
    const inside = `/host${socket.slice(source === '/' ? 0 : source.length)}`;
    proves(
      (await testbed.docker('exec', attacker.id, 'test', '-S', inside)).code === 0,
      'there is no socket inside',
    );
    const stateOf = async () => {
      const { namespaces } = await kit.controller().status();
      return namespaces.find(({ target }) => target === attacker.name)?.state;
    };
    await waitFor(async () => (await stateOf()) === 'unenforceable', {
      what: 'the mount to be reported',
      timeout: 60_000,
    });
    await testbed.must('rm', '--force', attacker.id);
  },
});

const tampering: CustomAttempt = {
  name: 'a rule that accepts all, put in before the controller is restarted',
  make: async (kit) => {
    const attacker = await kit.run('plain', { run: byVariables });
    const stopped = async () => !(await attacker.reaches(FORBIDDEN));
    const granted = () => attacker.reaches({ at: 'server', port: 80 });
    await waitFor(granted, { what: 'what is granted', timeout: 60_000 });
    await waitFor(stopped, { what: 'rules', timeout: 60_000 });
    await kit.controller().stop('SIGKILL');
    const rule = ['nft', 'insert', 'rule', 'inet', 'egresstrator_egress', 'output', 'accept'];
    const [file = '', ...args] = attacker.inside(...rule);
    await execa(file, args);
    proves(await attacker.reaches(FORBIDDEN), 'the rule lets nothing through');
    await kit.restart();
    await waitFor(stopped, { what: 'the rule to be gone', timeout: 60_000 });
    await kit.testbed.must('rm', '--force', attacker.id);
  },
};

const ask = (port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/v1/status', headers: { host } };
    request(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

const rebinding: CustomAttempt = {
  name: "a page that calls the controller by a name of its author's",
  starts: ['without the gate'],
  make: async (kit) => {
    const [port = 0] = await freePorts(1);
    await kit.restart(['--listen', `127.0.0.1:${port}`]);
    proves((await ask(port, `127.0.0.1:${port}`)) === 200, 'there is no status at all');
    for (const host of ['attacker.example', 'localhost.attacker.example', '127.0.0.1.attacker.example']) {
      expect([400, 421]).toContain(await ask(port, host));
    }
    await kit.restart();
  },
};

export const controllerAttacks: readonly CustomAttempt[] = [
  mounts('its folder', dirname),
  mounts('the folder above', (socket) => dirname(dirname(socket))),
  mounts('/run', () => '/run'),
  mounts('/', () => '/'),
  tampering,
  rebinding,
];
