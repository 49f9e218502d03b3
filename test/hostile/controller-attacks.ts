/**
 * Attacks on the controller itself: the Engine's socket through another path, the controller's API through another
 * host name, and rules that are changed while no controller runs.
 */
import { request } from 'node:http';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { freePorts } from '../../lab/ports.ts';
import { waitFor } from '../../lab/wait.ts';
import { DENIED_TARGET, enabledByVariables } from './attempts.ts';
import { assertConclusive, type CustomAttempt } from './custom-attempts.ts';

const socketMount = (what: string, sourceOf: (socket: string) => string): CustomAttempt => ({
  name: `the Engine's socket in a mount of ${what}`,
  outcome: 'reported',
  make: async (context) => {
    const { testbed } = context;
    const socket = testbed.engine.socketPath;
    const source = sourceOf(socket);
    const attacker = await context.run('plain', {
      options: [...enabledByVariables, '--volume', `${source}:/host`],
    });
    const inside = `/host${socket.slice(source === '/' ? 0 : source.length)}`;
    assertConclusive(
      (await testbed.docker('exec', attacker.id, 'test', '-S', inside)).code === 0,
      'there is no socket inside',
    );
    const stateOf = async () => {
      const { namespaces } = await context.controller().status();
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
  name: 'a rule that accepts everything, inserted before the controller restarts',
  isOfNoEngine: true,
  make: async (context) => {
    const attacker = await context.run('plain', { options: enabledByVariables });
    const stopped = async () => !(await attacker.reaches(DENIED_TARGET));
    const granted = () => attacker.reaches({ at: 'server', port: 80 });
    await waitFor(granted, { what: 'what is granted', timeout: 60_000 });
    await waitFor(stopped, { what: 'rules', timeout: 60_000 });
    await context.controller().stop('SIGKILL');
    const rule = ['nft', 'insert', 'rule', 'inet', 'egresstrator_egress', 'output', 'accept'];
    const [file = '', ...args] = attacker.inside(...rule);
    await execa(file, args);
    assertConclusive(await attacker.reaches(DENIED_TARGET), 'the rule lets nothing through');
    await context.restart();
    await waitFor(stopped, { what: 'the rule to be gone', timeout: 60_000 });
    await context.testbed.must('rm', '--force', attacker.id);
  },
};

const statusCodeFor = (port: number, host: string): Promise<number> =>
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
  name: 'a web page that reaches the API through its own DNS name',
  isOfNoEngine: true,
  starts: ['without the gate'],
  make: async (context) => {
    const [port = 0] = await freePorts(1);
    await context.restart(['--listen', `127.0.0.1:${port}`]);
    assertConclusive((await statusCodeFor(port, `127.0.0.1:${port}`)) === 200, 'there is no status at all');
    for (const host of ['attacker.example', 'localhost.attacker.example', '127.0.0.1.attacker.example']) {
      expect([400, 421]).toContain(await statusCodeFor(port, host));
    }
    await context.restart();
  },
};

export const controllerAttacks: readonly CustomAttempt[] = [
  socketMount('its folder', dirname),
  socketMount('the folder above', (socket) => dirname(dirname(socket))),
  socketMount('/run', () => '/run'),
  socketMount('/', () => '/'),
  tampering,
  rebinding,
];
