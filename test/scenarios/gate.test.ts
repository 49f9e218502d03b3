/** Rules that the gate has loaded are not loaded again by the controller. */
import { describe, expect, test } from 'vitest';
import type { Gate, GateLoaded, PreparedText } from '../../src/features/egress/gate.ts';
import { container } from '../support/containers.ts';
import { type FakeOptions, type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeNameProxy } from '../support/fake-names.ts';

const RESOLVERS = ['192.0.2.53'];

class FakeGate implements Gate {
  prepared: readonly PreparedText[] = [];
  loaded: GateLoaded | undefined;

  prepare(texts: readonly PreparedText[]): void {
    this.prepared = texts;
  }

  async loadedAtStart(): Promise<GateLoaded | undefined> {
    return this.loaded;
  }
}

async function start(options: FakeOptions): Promise<FakeSetup> {
  const setup = startFake(options);
  setup.consul.put({ db: '10.0.0.1:tcp/5432', web: '10.0.0.2:tcp/80' });
  await setup.rest();
  return setup;
}

const fingerprintOf = (text: string) => /egresstrator v1 ([0-9a-f]+)/.exec(text)?.[1] ?? '';

/** A container starts, and the gate has loaded what was prepared. */
async function startGated(setup: FakeSetup, gate: FakeGate, resolvers = RESOLVERS) {
  const [text] = gate.prepared;
  gate.loaded = { fingerprint: fingerprintOf(text?.text ?? ''), resolvers };
  const web = container('web');
  setup.kernel.texts.set(`${web.id}@${web.startedAt}`, text?.text ?? '');
  setup.engine.run(web);
  await setup.rest();
  return web;
}

describe('prepared rules', () => {
  test('are there for named keys before any container, and follow Consul', async () => {
    const gate = new FakeGate();
    const setup = await start({ gate, prepare: [['web', 'db']] });
    expect(gate.prepared.map(({ grants, mode, dns }) => ({ grants, mode, dns }))).toEqual([
      { grants: ['db', 'web'], mode: 'enforce', dns: 'resolvers' },
    ]);
    expect(gate.prepared[0]?.text).toContain('10.0.0.2 . tcp . 80');
    setup.consul.put({ db: '10.0.0.9:tcp/5432' });
    await setup.rest();
    expect(gate.prepared[0]?.text).toContain('10.0.0.9 . tcp . 5432');
    expect(gate.prepared[0]?.text).not.toContain('10.0.0.2 . tcp . 80');
  });

  test('with rules by name have no DNS until the controller answers for them, and theirs where it cannot', async () => {
    const textOf = async (names: FakeOptions['names']): Promise<string> => {
      const gate = new FakeGate();
      const setup = await start({ gate, prepare: [['web']], names });
      setup.consul.put({ web: '10.0.0.2:tcp/80\napi.example.com:tcp/443' });
      await setup.rest();
      return gate.prepared[0]?.text ?? '';
    };
    const [answering, others] = [await textOf(new FakeNameProxy().ports()), await textOf(undefined)];
    expect(answering).toContain('10.0.0.2 . tcp . 80');
    const asks = 'ip daddr $resolvers4 meta l4proto { tcp, udp } th dport 53 accept';
    expect([answering.includes(asks), others.includes(asks)]).toEqual([false, true]);
    for (const text of [answering, others]) expect(text).not.toContain('$dnsport');
  });

  test('are there for every workload seen, also when it has ended', async () => {
    const gate = new FakeGate();
    const setup = await start({ gate });
    setup.engine.run(container('web'));
    await setup.rest();
    setup.engine.stop('web');
    await setup.rest();
    expect(gate.prepared.map(({ grants }) => grants)).toEqual([['db']]);
  });
});

describe('a container that the gate has seen to', () => {
  test('costs no load while its prepared rules are current', async () => {
    const gate = new FakeGate();
    const setup = await start({ gate, prepare: [['db']] });
    await startGated(setup, gate);
    expect(setup.kernel.loads).toEqual([]);
    expect(setup.controller.answers.status().namespaces.map(({ state }) => state)).toEqual(['protected']);
  });

  test('is loaded anew when its rules change', async () => {
    const gate = new FakeGate();
    const setup = await start({ gate, prepare: [['db']] });
    const web = await startGated(setup, gate);
    setup.consul.put({ db: '10.0.0.9:tcp/1' });
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual(['10.0.0.9 . tcp . 1']);
  });

  test('is loaded anew when it is attached to another network', async () => {
    const gate = new FakeGate();
    const setup = await start({ gate, prepare: [['db']] });
    const web = await startGated(setup, gate);
    setup.engine.run({ ...web, attachments: [...web.attachments, 'other:endpoint'] });
    await setup.rest();
    expect(setup.kernel.loads).toEqual(['web']);
  });

  test('is loaded anew where the gate did not know all of its resolvers', async () => {
    const gate = new FakeGate();
    const setup = await start({ gate, prepare: [['db']] });
    await startGated(setup, gate, []);
    expect(setup.kernel.loads).toEqual(['web']);
  });

  test('is loaded where the gate had only the lockdown text', async () => {
    const gate = new FakeGate();
    const setup = await start({ gate });
    gate.loaded = { fingerprint: '0badc0de', resolvers: [] };
    const web = container('web');
    setup.engine.run(web);
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual(['10.0.0.1 . tcp . 5432']);
  });
});
