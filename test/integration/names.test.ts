/**
 * Rules by name, end to end: a container reaches what the names of its rules lead to, and asks nobody else. The real
 * controller, Engines and kernel, and a resolver of the test's own on loopback.
 */
import packet from 'dns-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from '../support/egresstrator.ts';
import { onEachEngine } from '../support/engines.ts';
import { control, type Fixture, ipv4, openFixture, putKey } from '../support/fixture.ts';
import { connects, type Workload } from '../support/workloads.ts';
import { startNameServer } from '../unit/name-proxy/name-servers.ts';

/** As an authoritative server has it: addresses of IPv4, or no such name. */
function answerTo(bytes: Buffer, addresses: readonly string[] | undefined): Uint8Array {
  const { id = 0, questions = [] } = packet.decode(bytes);
  const [{ name, type } = { name: '', type: 'A' as const }] = questions;
  const found = type === 'A' ? (addresses ?? []) : [];
  const rcode = addresses === undefined ? 3 : 0;
  return packet.encode({
    ...{ type: 'response', id, questions, flags: packet.RECURSION_AVAILABLE | rcode },
    answers: found.map((data) => ({ type: 'A', name, ttl: 60, data })),
  });
}

onEachEngine((version) => {
  let fixture: Fixture;
  let controller: RunningController;
  let upstream: Awaited<ReturnType<typeof startNameServer>>;
  const asked: string[] = [];
  const addresses = new Map<string, readonly string[]>();
  const args = () => ['--loader', 'nsenter', '--names-upstream', `127.0.0.1:${upstream.endpoint.port}`];

  beforeAll(async () => {
    fixture = await openFixture(version);
    upstream = await startNameServer((one) => {
      asked.push(one.name);
      one.answer(answerTo(Buffer.from(one.bytes), addresses.get(one.name)));
    });
    addresses.set('api.example.com', [ipv4(fixture.server, fixture.network)]);
    addresses.set('www.example.com', [ipv4(fixture.other, fixture.network)]);
    controller = await control(fixture, 'names/', args());
  });
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    upstream?.close();
    await fixture?.[Symbol.asyncDispose]();
  });

  const sh = async (workload: Workload, command: string) => {
    const { stdout } = await fixture.workloads.exec(workload, 'sh', '-c', command);
    return stdout;
  };
  const lookup = (workload: Workload, name: string) => sh(workload, `nslookup ${name} 2>&1; true`);

  const isAnswering = async (name: string) => {
    const { namespaces } = await controller.status();
    return namespaces.find(({ target }) => target.endsWith(name))?.names?.state === 'answering';
  };

  test('a name of a rule is answered, and its address can be reached on its port alone', async () => {
    const { server, other, network } = fixture;
    const [near, far] = [ipv4(server, network), ipv4(other, network)];
    await putKey(fixture, 'names/api', `api.example.com@${near}:tcp/80`);
    const workload = await fixture.workloads.run('by-name', { acl: 'api', network });
    await waitFor(() => isAnswering('by-name'), {
      what: 'an answering proxy',
      timeout: 20_000,
      interval: 50,
    });
    expect(await connects(workload, near, 80)).toBe('refused');
    expect(await lookup(workload, 'api.example.com')).toContain(near);
    expect(await connects(workload, near, 80)).toBe('ok');
    expect(await connects(workload, near, 81)).toBe('refused');
    expect(await connects(workload, far, 80)).toBe('refused');
    expect(await lookup(workload, 'www.example.com')).not.toContain(far);
    expect(asked).not.toContain('www.example.com');
    // Containers on its networks are answered by Docker's resolver.
    expect(await lookup(workload, other.name)).toContain(far);
    await fixture.workloads.remove(workload);
  });
});
