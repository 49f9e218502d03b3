/**
 * Consul in trouble, on the real thing: killed, frozen, cut off, slow, empty, denied. At every instant a
 * protected container stays protected with the last known rules, one that starts meanwhile gets them too,
 * and once the trouble is over the next edit counts.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Consul, callConsul, startConsul } from '../../lab/consul.ts';
import { waitFor } from '../../lab/wait.ts';
import { assertRecovers, ConsulSetup, type Trouble } from '../support/consul-setup.ts';
import { type LogLine, RunningController } from '../support/egresstrator.ts';
import { onOneEngine } from '../support/engines.ts';
import { assertNoBreach, startGuard } from '../support/faults.ts';
import { becomes, type Fixture, ipv4, openFixture, register } from '../support/fixture.ts';
import { nothingLeaked } from '../support/footprint.ts';
import { fingerprint, handles } from '../support/kernel.ts';
import { ConsulStub, Relay } from '../support/relay.ts';
import { connects } from '../support/workloads.ts';

onOneEngine((version) => {
  let fixture: Fixture;
  let folder: string;
  /** Keeps its data, unlike that of the fixture. */
  let consul: Consul;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'egt-faults-'));
    fixture = await openFixture(version);
    consul = await startConsul({ dataDir: join(folder, 'consul') });
  });
  afterAll(async () => {
    await consul?.stop();
    await fixture?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  describe('the process', () => {
    let setup: ConsulSetup;
    beforeAll(async () => {
      setup = await ConsulSetup.open(fixture, consul, 'process', ['-c', consul.address]);
    });
    afterAll(() => setup?.[Symbol.asyncDispose]());

    test('killed, and started again with its data', async () => {
      const trouble = async () => {
        await consul.kill();
        return () => consul.start();
      };
      await assertRecovers(setup, 'Consul killed', trouble, /refuses|closed the connection/);
    });

    test('frozen', async () => {
      const trouble = async () => {
        await consul.freeze();
        return () => consul.thaw();
      };
      await assertRecovers(setup, 'Consul frozen', trouble);
    });

    test('away while the controller is killed and starts again: what is on disk counts', async () => {
      const server = ipv4(fixture.server);
      // With another helper image, or version, the record of loads would not count.
      const own = ['--drift-interval', '1', '--register', 'none', '-c', consul.address];
      const args = ['-k', 'process/', '-i', fixture.image, ...own];
      await using guard = startGuard(fixture, setup.workload);
      const loaded = await handles(setup.workload.pid);
      // Loads are recorded a moment later; a load without a record would be repeated.
      const current = await fingerprint(setup.workload.pid);
      const records = join(setup.controller.folder, 'state', 'loads.json');
      // Other workloads have equal rules, and records of their own.
      const ofWorkload = new RegExp(`${setup.workload.id}[^[\\]]*${current}`);
      const isRecorded = () => ofWorkload.test(readFileSync(records, 'utf8'));
      await waitFor(isRecorded, { what: 'the record of the load' });
      await consul.kill();
      await setup.controller.stop('SIGKILL');
      const late = await fixture.workloads.run('process-orphan', { acl: 'db' });
      await using next = new RunningController({
        engine: fixture.engine,
        folder: setup.controller.folder,
        args,
      });
      await becomes(late, server, 81, 'refused');
      expect(await connects(late, server, 80)).toBe('ok');
      const inPlace = ({ msg, container }: LogLine) =>
        msg === 'rules are in place' && container === setup.workload.name;
      await next.logged(inPlace, 'rules are in place');
      expect(await handles(setup.workload.pid)).toBe(loaded);
      await consul.start();
      await setup.edit(`${server}:tcp/80-81`);
      await becomes(late, server, 81, 'ok');
      await setup.edit(`${server}:tcp/80`);
      await becomes(late, server, 81, 'refused');
      expect((await next.status()).sources.map(({ error }) => error).filter(Boolean)).toEqual([]);
      await assertNoBreach(guard);
      await fixture.workloads.remove(late);
    });
  });

  describe('the way there', () => {
    let setup: ConsulSetup;
    let relay: Relay;
    beforeAll(async () => {
      const { hostname, port } = new URL(consul.address);
      relay = await Relay.open({ to: { host: hostname, port: Number(port) } });
      setup = await ConsulSetup.open(fixture, consul, 'way', ['-c', relay.address]);
    });
    afterAll(async () => {
      await setup?.[Symbol.asyncDispose]();
      await relay?.[Symbol.asyncDispose]();
    });

    test('partitioned: all packets are lost, edits of that time arrive afterwards', async () => {
      const server = ipv4(fixture.server);
      const trouble = async () => {
        relay.stall();
        await setup.edit(`${server}:tcp/80-81`);
        expect(await connects(setup.workload, server, 81)).toBe('refused');
        return async () => {
          relay.heal();
          await becomes(setup.workload, server, 81, 'ok');
        };
      };
      await assertRecovers(setup, 'Consul partitioned', trouble);
    });

    test('connections cut, and new ones refused', async () => {
      const trouble = async () => {
        relay.cut();
        return () => relay.heal();
      };
      await assertRecovers(setup, 'Consul cut off', trouble, /.+/);
    });

    test('connections cut again and again', async () => {
      const trouble = async () => {
        for (let round = 0; round < 20; round += 1) {
          relay.cut({ again: true });
          await waitFor(() => relay.connections > 0, {
            what: 'the next connection',
            timeout: 60_000,
            interval: 5,
          });
        }
        return () => relay.heal();
      };
      await assertRecovers(setup, 'Consul cut 20 times', trouble);
    });

    test('slow: every answer is late, and none is lost', async () => {
      const server = ipv4(fixture.server);
      const trouble = async () => {
        relay.slow(700);
        await setup.edit(`${server}:tcp/80-81`);
        await becomes(setup.workload, server, 81, 'ok');
        await setup.edit(`${server}:tcp/80`);
        await becomes(setup.workload, server, 81, 'refused');
        expect((await setup.controller.status()).sources.flatMap(({ error }) => error ?? [])).toEqual([]);
        return () => relay.heal();
      };
      await assertSlowRecovers(setup, trouble);
    });

    /** As `assertRecovers`, where edits of the time of trouble are in force. */
    async function assertSlowRecovers(one: ConsulSetup, trouble: Trouble): Promise<void> {
      await using guard = startGuard(fixture, one.workload);
      await (await trouble())();
      await assertNoBreach(guard);
      await nothingLeaked(one.before, one.controller, fixture.workloads);
    }
  });

  describe('its answers', () => {
    let setup: ConsulSetup;
    let stub: ConsulStub;
    beforeAll(async () => {
      stub = await ConsulStub.open(consul.address);
      setup = await ConsulSetup.open(fixture, consul, 'answers', ['-c', stub.address]);
    });
    afterAll(async () => {
      await setup?.[Symbol.asyncDispose]();
      await stub?.[Symbol.asyncDispose]();
    });

    test('filtered by ACLs: no empty list is believed', async () => {
      const trouble = async () => {
        stub.treat((path) => (path.startsWith('/v1/kv/') ? 'filter' : 'pass'));
        return () => stub.treat(() => 'pass');
      };
      await assertRecovers(setup, 'results filtered', trouble, /hides a part/);
    });

    test("one service's query fails: its last known instances stay, all else goes on", async () => {
      const [server, other] = [ipv4(fixture.server), ipv4(fixture.other)];
      for (const service of ['good', 'bad']) {
        await register(
          { consul },
          { node: service, service, address: server, port: service === 'good' ? 80 : 81 },
        );
      }
      await setup.edit('good', 'bad');
      await becomes(setup.workload, server, 81, 'ok');
      await using guard = startGuard(fixture, setup.workload);
      stub.treat((path) => (path.includes('/service/bad') ? 'fail' : 'pass'));
      const failing = async () =>
        (await setup.controller.status()).sources.some(({ name, error }) => name === 'service bad' && error);
      await waitFor(failing, { what: 'the failure to be noticed', timeout: 60_000 });
      await register({ consul }, { node: 'good', service: 'good', address: other, port: 81 });
      await becomes(setup.workload, other, 81, 'ok');
      expect(await connects(setup.workload, server, 80)).toBe('refused');
      expect(await connects(setup.workload, server, 81)).toBe('ok');
      await register({ consul }, { node: 'good', service: 'good', address: server, port: 80 });
      await becomes(setup.workload, other, 81, 'refused');
      stub.treat(() => 'pass');
      const { breaches } = await guard.stop();
      expect(breaches).toEqual([]);
      await setup.edit(`${server}:tcp/80`);
      await becomes(setup.workload, server, 81, 'refused');
    });

    test('a service that never answered, and fails, does not hold up the revocation of another rule', async () => {
      const server = ipv4(fixture.server);
      await setup.edit(`${server}:tcp/80-81`);
      await becomes(setup.workload, server, 81, 'ok');
      stub.treat((path) => (path.includes('/service/mute') ? 'fail' : 'pass'));
      await setup.edit(`${server}:tcp/80`, 'mute');
      await becomes(setup.workload, server, 81, 'refused');
      expect(await connects(setup.workload, server, 80)).toBe('ok');
      stub.treat(() => 'pass');
      await setup.edit(`${server}:tcp/80`);
    });
  });

  test('the token is revoked, and a new one written to its file', async () => {
    await using guarded = await startConsul({ acl: true });
    const tokenFile = join(folder, 'token');
    const token = async () => {
      const policy = { Name: `p-${Date.now()}`, Rules: 'key_prefix "" { policy = "read" }' };
      await guarded.call('PUT', '/v1/acl/policy', policy);
      const { body } = await guarded.call('PUT', '/v1/acl/token', { Policies: [{ Name: policy.Name }] });
      const { AccessorID, SecretID } = body as { readonly AccessorID: string; readonly SecretID: string };
      writeFileSync(tokenFile, SecretID, { mode: 0o600 });
      return AccessorID;
    };
    const first = await token();
    const args = ['-c', guarded.address, '--consul-token-file', tokenFile];
    await using setup = await ConsulSetup.open(fixture, guarded, 'token', args);
    const trouble = async () => {
      await guarded.call('DELETE', `/v1/acl/token/${first}`);
      // The query in flight is still answered; the next one is refused.
      await guarded.call('PUT', '/v1/kv/token/nudge', '');
      return async () => void (await token());
    };
    await assertRecovers(setup, 'token revoked', trouble, /token/i);
    expect(setup.controller.output).not.toContain(
      (await callConsul(guarded, 'GET', '/v1/status/leader')).body,
    );
  });

  test('restarted empty: the last known rules stay until a key is written', async () => {
    await using setup = await ConsulSetup.open(fixture, fixture.consul, 'empty', [
      '-c',
      fixture.consul.address,
    ]);
    const trouble = async () => {
      await fixture.consul.restart();
      return () => {};
    };
    await assertRecovers(setup, 'Consul restarted empty', trouble, /lost its history/);
  });
});
