/**
 * The lockdown on kernels of now and of before Linux 6.16, where a chain of the netdev family names only devices
 * that exist and forgets one that goes. The loader is told another kernel's release; what such a kernel forgets
 * is taken away by hand.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withFacts } from '../../src/features/egress/facts.ts';
import { NO_FACTS, netns, PORT, PROGRAM, useFixture } from './fixture.ts';
import { renderWith } from './rules.ts';

const HERE = '10.198.7.1';
const THERE = '10.198.7.2';
const ECHO = 'hello';

const fixture = await useFixture();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egresstrator-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
});
beforeEach(() => fixture.agents.denied.received());
afterEach(async () => {
  await netns(fixture.workload, 'clear');
  for (const device of ['eth7', 'net7']) await inWorkload(`ip link delete ${device} 2>/dev/null || true`);
});

const inWorkload = async (command: string): Promise<string> =>
  (await fixture.workload.run('sh', ['-c', command])).stdout;

/** Loads the lockdown as it would be on a kernel of that release. */
async function lockDown(release: string): Promise<void> {
  const file = join(folder, 'osrelease');
  writeFileSync(file, `${release}\n`);
  const mount = `mount --bind '${file}' /proc/sys/kernel/osrelease && exec sh '${PROGRAM}' load egress`;
  const input = withFacts(renderWith('lockdown').text, NO_FACTS);
  await fixture.workload.run('unshare', ['--mount', 'sh', '-c', mount], { input });
}

/** A link of its own between the workload and the one that it may not reach. */
async function plugIn(device: string, name = device): Promise<void> {
  const { denied } = fixture;
  await inWorkload(`ip link add ${device} type veth peer name there netns ${denied.name}`);
  if (name !== device) await inWorkload(`ip link set ${device} name ${name}`);
  await inWorkload(`ip link set ${name} up && ip address add ${HERE}/24 dev ${name}`);
  await denied.run('sh', ['-c', `ip link set there up && ip address add ${THERE}/24 dev there`]);
}

let from = 21_000;
const send = (): Promise<string> => {
  from += 1;
  return fixture.agents.workload.ask(THERE, PORT, from);
};
const receivedTexts = (): Promise<string> => fixture.agents.denied.received();

/** What a kernel before 6.16 has once the last device of a chain is gone. */
const forgetHooks = () => inWorkload('nft delete table netdev egresstrator_egress');

it('the way is open where nothing is loaded', async () => {
  await plugIn('eth7');
  await expect.poll(send, { timeout: 20_000 }).toBe(ECHO);
});

describe.each(['6.18.0', '6.16.0-rc1-amd64', '7.0', '10.2.1-old'])('on Linux %s', (release) => {
  const guarded = async () => {
    await lockDown(release);
    return inWorkload('nft list chain inet egresstrator_egress output');
  };

  it('takes packets in, to drop them in silence, on interfaces that are guarded for good', async () => {
    expect(await guarded()).toContain('"eth15"');
  });
});

describe('on this kernel', () => {
  it('an interface that is replaced is guarded, in silence', async () => {
    await plugIn('eth7');
    await lockDown('6.18.0');
    expect([await send(), await receivedTexts()]).toEqual(['silence', '']);
    await inWorkload('ip link delete eth7');
    await plugIn('eth7');
    expect([await send(), await receivedTexts()]).toEqual(['silence', '']);
  });

  it('an interface of another name that is replaced is guarded, in silence', async () => {
    await plugIn('net7');
    await lockDown('6.18.0');
    await inWorkload('ip link delete net7');
    await plugIn('net7');
    expect([await send(), await receivedTexts()]).toEqual(['silence', '']);
  });

  it('one that comes later and is renamed, as Docker does it, is guarded, in silence', async () => {
    await lockDown('6.18.0');
    await plugIn('veth1234', 'eth7');
    expect([await send(), await receivedTexts()]).toEqual(['silence', '']);
  });

  it('one that comes later under a name that nobody foresaw reaches nothing', async () => {
    await lockDown('6.18.0');
    await plugIn('net7');
    expect([await send(), await receivedTexts()]).toEqual(['EPERM', '']);
  });
});

describe.each(['6.15.12', '6.8-rc1', '5.16.0-1-amd64', '5.10.0'])('on Linux %s', (release) => {
  it('nothing but loopback is accepted by its name, so an interface that is replaced reaches nothing', async () => {
    await plugIn('eth7');
    await lockDown(release);
    await inWorkload('ip link delete eth7');
    await forgetHooks();
    await plugIn('eth7');
    expect([await send(), await receivedTexts()]).toEqual(['EPERM', '']);
    expect(await inWorkload('nft list chain inet egresstrator_egress output')).not.toContain('eth');
  });

  it('loopback works', async () => {
    await lockDown(release);
    expect(await fixture.agents.workload.ask('127.0.0.1', PORT, 20_999)).toBe(ECHO);
  });
});
