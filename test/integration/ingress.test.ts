/**
 * Who may reach a container, end to end: callers that its ingress keys in Consul name, and nobody else, also on its own
 * bridge. The real controller, both Engines, both ways to load, real connections.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningController, runCli } from '../support/egresstrator.ts';
import { loadersOn, onEachEngine } from '../support/engines.ts';
import {
  becomes,
  control,
  type Fixture,
  ipv4,
  ipv6,
  openFixture,
  PORTS,
  putKey,
  register,
} from '../support/fixture.ts';
import { connects, type Workload } from '../support/workloads.ts';

onEachEngine((version) => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture(version);
  });
  afterAll(() => fixture?.[Symbol.asyncDispose]());

  describe.each(loadersOn(version))('loading by %s', (loader) => {
    const path = `ingress-${loader}/`;
    const node = `node-${version}-${loader}`;
    let controller: RunningController;
    beforeAll(async () => {
      const args = ['--loader', loader, '--ingress-path', path, '--node', node];
      controller = await control(fixture, `egress-${loader}/`, args);
    });
    afterAll(() => controller?.[Symbol.asyncDispose]());

    const key = (name: string, ...lines: readonly string[]) => putKey(fixture, `${path}${name}`, ...lines);

    /** Runs a server with these ingress keys, and waits until its rules are loaded. */
    async function serve(name: string, keys: string, network = 'bridge'): Promise<Workload> {
      const args = ['-e', `EGRESSTRATOR_INGRESS=${keys}`];
      const app = await fixture.workloads.run(`${loader}-${name}`, { args, network });
      await app.probe.serve(PORTS);
      const isLoaded = ({ msg, container, ingress }: Record<string, unknown>) =>
        msg === 'rules loaded' && container === app.name && ingress !== undefined;
      await controller.logged(isLoaded, `ingress rules of ${app.name}`);
      return app;
    }

    test('lets in callers that a key names, and cuts them when it does no more', async () => {
      const { server, other, network } = fixture;
      await key('web', `${ipv4(server, network)}:tcp/80`, `[${ipv6(server, network)}]:tcp/80`);
      const app = await serve('app', 'web', network);
      const [at, at6] = [ipv4(app, network), ipv6(app, network)];
      await becomes(server, at, 80, 'ok');
      await becomes(server, at6, 80, 'ok');
      await becomes(server, at, 81, 'refused');
      await becomes(other, at, 80, 'refused');
      await becomes(other, at6, 80, 'refused');
      expect(await connects(app, ipv4(other, network), 80)).toBe('ok');
      await key('web', '# nobody');
      await becomes(server, at, 80, 'refused');
      await becomes(server, at6, 80, 'refused');
    });

    test('lets in a service, also from the own address of its container on this host', async () => {
      const { server, other, workloads } = fixture;
      const client = await workloads.run(`${loader}-client`, { args: ['--publish', '80'] });
      const published = await workloads.must('port', client.id, '80/tcp');
      const port = Number(/:(\d+)$/m.exec(published)?.[1]);
      await register(fixture, { node, service: `client-${loader}`, address: '192.0.2.44', port });
      await key('metrics', `client-${loader}:tcp/80`);
      const app = await serve('measured', 'metrics,unknown');
      await becomes(client, ipv4(app), 80, 'ok');
      await becomes(other, ipv4(app), 80, 'refused');
      await becomes(server, ipv4(app), 80, 'refused');
    });

    test('is asked about without a controller as with it', async () => {
      const { engine, consul, server, other } = fixture;
      await key(`asked-${loader}`, `${ipv4(server)}:tcp/80`);
      const app = await serve('asked', `asked-${loader}`);
      await becomes(server, ipv4(app), 80, 'ok');
      await becomes(other, ipv4(app), 80, 'refused');
      const from = ['--docker-host', `unix://${engine.socketPath}`, '--consul', consul.address];
      const common = [...from, '--loader', loader, '--image', fixture.image, '--ingress-path', path];
      for (const socket of [controller.socket, '/run/no-controller.sock']) {
        const ask = async (...args: readonly string[]) => {
          const options = socket === controller.socket ? [] : common;
          const asked = await runCli([...args, '--json', '--socket', socket, ...options]);
          return { code: asked.code, ...JSON.parse(asked.stdout) };
        };
        const call = { gate: 'ingress', source: ipv4(other), container: app.name, protocol: 'tcp', port: 80 };
        expect((await ask('denied', '--in', app.name)).calls).toMatchObject([call]);
        const { suggestions } = await ask('suggest', '--in', app.name);
        expect(suggestions).toMatchObject([{ keys: [`asked-${loader}`], lines: [{ caller: other.name }] }]);
        const { keys } = await ask('keys', '--ingress');
        expect(keys).toContainEqual(expect.objectContaining({ key: `asked-${loader}`, heldBy: [app.name] }));
        const explain = (caller: Workload) =>
          ask('explain', '--in', app.name, ipv4(caller), 'tcp/80', '--exit-code');
        expect(await explain(server)).toMatchObject({ code: 0, passes: true });
        expect(await explain(other)).toMatchObject({ code: 1, passes: false });
      }
    });

    test('lets nobody in without a key, and tells so', async () => {
      const app = await serve('closed', '');
      await becomes(fixture.server, ipv4(app), 80, 'refused');
      const { ingress = [] } = await controller.status();
      expect(ingress.find(({ target }) => target === app.name)).toMatchObject({ state: 'closed', keys: [] });
    });
  });
});
