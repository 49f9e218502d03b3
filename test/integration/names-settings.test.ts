/**
 * What users choose beside rules by name: audit, EGRESSTRATOR_DNS, search domains, the gate, and a loader that cannot
 * serve names. Questions are those of the C libraries of Debian and Alpine too.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installGate } from '../../src/gate/install.ts';
import { DEFAULT_GATE_SETTINGS } from '../../src/gate/layout.ts';
import { uninstallGate } from '../../src/gate/uninstall.ts';
import { runCli } from '../support/egresstrator.ts';
import { onEachEngine } from '../support/engines.ts';
import { ipv4, ipv6 } from '../support/fixture.ts';
import { ends, goesOn } from '../support/flows.ts';
import { connects, type Workload } from '../support/workloads.ts';
import { becomes, datagramsAt, finds, isFound, lookup, NamesLab } from './names-lab.ts';
import { find, GLIBC, GLIBC_BY_TCP, musl } from './resolver-libraries.ts';

/** Whether a name of a rule, and that of a container, are answered with `names`, `resolvers` and `none`. */
const CHOSEN = [
  [false, true],
  [true, true],
  [false, false],
];

onEachEngine((version) => {
  let lab: NamesLab;
  let [near, far, foreign] = ['', '', ''];
  /** Its names have search domains. */
  let searching: Workload;

  const problemsOf = async ({ name }: Workload) =>
    (await lab.statusOf(name))?.problems.map(({ reason }) => reason).join('\n');
  const cli = async (...args: readonly string[]) =>
    (await runCli([...args, '--socket', lab.controller.socket])).stdout;
  const withDns = (dns: string) => ['-e', `EGRESSTRATOR_DNS=${dns}`];

  beforeAll(async () => {
    lab = await NamesLab.open(version);
    const { server, other, names, network } = lab.fixture;
    [near = '', far = '', foreign = ''] = [server, other, names].map((one) => ipv4(one, network));
    lab.zone.set('api.example.com', [near]);
    lab.zone.set('www.example.com', [far]);
    await lab.key('api', `api.example.com@${near}:tcp/80`, `${near}:tcp/81`);
    await lab.key('plain', `${near}:tcp/80`);
    await lab.start();
    const search = ['example.com', 'corp.example'].flatMap((domain) => ['--dns-search', domain]);
    searching = await lab.run('searching', {
      acl: 'api',
      network,
      args: [...search, '--dns-option', 'ndots:5', '--link', `${server.name}:linked`],
    });
  });
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  test('audit answers and lets pass all, and records it; enforcing ends what is not granted', async () => {
    const { workloads, network } = lab.fixture;
    const audited = await lab.run('audited', {
      ...{ acl: 'api', network, args: ['-e', 'EGRESSTRATOR_MODE=audit'] },
    });
    await finds(audited, 'api.example.com', [near]);
    await finds(audited, 'www.example.com', [far]);
    const keep = (address: string) => audited.probe.keep({ protocol: 'tcp', address, port: 80 });
    const [granted, passed] = [await keep(near), await keep(far)];
    await goesOn(audited, passed);
    expect(await cli('denied', audited.name)).toMatch(/www\.example\.com +.*no rule is about it/);
    const guest = await workloads.run('strict', { acl: 'api', network: `container:${audited.id}` });
    await ends(audited, passed);
    await goesOn(audited, granted);
    expect(await lookup(audited, 'www.example.com')).toEqual([]);
    await finds(audited, 'api.example.com', [near]);
    expect(await connects(audited, near, 80)).toBe('ok');
    expect(await connects(audited, far, 80)).toBe('refused');
    await workloads.remove(guest, audited);
  });

  test('EGRESSTRATOR_DNS decides who answers', async () => {
    const { workloads, network, server } = lab.fixture;
    const args = (dns: string) => ({ network, args: withDns(dns) });
    const [names, resolvers, none] = await Promise.all([
      lab.run('with-names', { acl: 'plain', ...args('names') }),
      workloads.run('with-resolvers', { acl: 'api', ...args('resolvers') }),
      workloads.run('with-none', { acl: 'api', ...args('none') }),
    ]);
    await becomes('rules in all', async () => {
      const states = await Promise.all([names, resolvers, none].map(({ name }) => lab.statusOf(name)));
      return states.every((one) => one?.state === 'protected');
    });
    const foundBy = async (workload: Workload) =>
      Promise.all(
        ['api.example.com', server.name].map(async (name) => (await lookup(workload, name)).length > 0),
      );
    const all = () => Promise.all([names, resolvers, none].map(foundBy));
    await becomes('answers as chosen', async () => JSON.stringify(await all()) === JSON.stringify(CHOSEN));
    expect(await problemsOf(names)).toBe('');
    for (const [dns, workload] of Object.entries({ resolvers, none })) {
      expect(await problemsOf(workload)).toContain(
        `need EGRESSTRATOR_DNS=names, and the container has ${dns}`,
      );
      expect(await connects(workload, near, 80)).toBe('refused');
    }
    await workloads.remove(names, resolvers, none);
  });

  test('C libraries pass over search domains, and ask over TCP', async () => {
    const { names, server, network } = lab.fixture;
    const before = datagramsAt(names);
    const both = [near, ipv6(server, network)];
    for (const library of [GLIBC, GLIBC_BY_TCP, await musl(lab.folder)]) {
      const isKnown = (name: string, addresses: readonly string[]) =>
        isFound(name, addresses, () => find(library, searching, name));
      for (const name of ['api.example.com', 'api']) await isKnown(name, [near]);
      for (const name of [server.name, `${server.name}.${network}`, 'linked']) await isKnown(name, both);
    }
    // That of Alpine would wait for another answer than REFUSED.
    expect(await find(GLIBC, searching, 'www.example.com')).toEqual([]);
    expect(datagramsAt(names)).toBe(before);
  });

  test('a workload that the gate starts has no other DNS from its first instruction, and no name without its grant', async () => {
    const { engine, workloads, names, network } = lab.fixture;
    const runDir = join(lab.controller.folder, 'run');
    const { socketPath } = engine;
    const gate = { ...DEFAULT_GATE_SETTINGS, libDir: join(lab.folder, 'gate'), runDir, socketPath };
    await installGate(gate, false);
    try {
      const before = datagramsAt(names);
      const gated = await Promise.all(
        ['gated-1', 'gated-2'].map((name) =>
          lab.run(name, {
            ...{ acl: 'api', network, args: ['--runtime', 'egresstrator'] },
            command: ['sh', '-c', firstSteps()],
          }),
        ),
      );
      for (const { id } of gated) {
        const printed = async () => (await workloads.docker('logs', id)).stdout;
        await becomes('its last step', async () => (await printed()).includes('end'));
        expect(await printed()).toBe('address\nname\nend');
      }
      expect(datagramsAt(names)).toBe(before);
      await workloads.remove(...gated);
    } finally {
      await uninstallGate(gate, true);
    }
  });

  /** What it gets from the server by an address rule at once, and by a name as soon as that is answered. */
  const firstSteps = () => `
    echo address | nc -w 60 ${near} 81
    until nslookup -type=a api.example.com ${foreign}; do sleep 0.05; done >/dev/null 2>&1
    echo name | nc -w 60 ${near} 80
    echo end
    exec sleep 100000`;

  test('a controller that loads by helpers says that rules by name grant nothing', async () => {
    await finds(searching, 'api.example.com', [near]);
    expect(await connects(searching, near, 80)).toBe('ok');
    await lab.start('--loader', 'helper', '--drift-interval', '3600', '--denied-interval', '0');
    await becomes(
      'the reason',
      async () => (await problemsOf(searching))?.includes('--loader helper') ?? false,
    );
    await becomes('its own resolvers', async () => (await lab.statusOf(searching.name))?.dns === 'resolvers');
    await becomes(
      'the end of its addresses',
      async () => (await connects(searching, near, 80)) === 'refused',
    );
    expect(await cli('status', searching.name)).toContain('and it loads by helpers (--loader helper)');
  });
});
