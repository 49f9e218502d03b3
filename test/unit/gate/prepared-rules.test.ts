/**
 * The files that the controller and the gate share.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { preparedIngressName, preparedName } from '../../../src/gate/names.ts';
import { PreparedRules, type PreparedText } from '../../../src/gate/prepared-rules.ts';
import { GateRecords, parseRecord } from '../../../src/gate/records.ts';

let runDir: string;
beforeEach(() => {
  runDir = join(mkdtempSync(join(tmpdir(), 'egresstrator-run-')), 'run');
});
afterEach(() => rmSync(join(runDir, '..'), { recursive: true, force: true }));

const log = () => ({ debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() });
const one: PreparedText = { grants: ['db', 'a'], mode: 'enforce', dns: 'resolvers', text: 'table inet x {}' };
const other: PreparedText = { ...one, mode: 'audit', text: '#!iptables-restore\n*filter\n' };
const path = (name: string) => join(runDir, 'prepared', name);
const fileOf = (rules: PreparedText) => `${preparedName(rules)}.nft`;

describe('prepared rules', () => {
  test('have a name that depends on what is asked for, not on how', () => {
    expect(preparedName({ ...one, grants: ['a', 'db', 'a'] })).toBe(preparedName(one));
    const others = [
      { ...one, mode: 'audit' as const },
      { ...one, dns: 'none' as const },
      { ...one, grants: ['a,db'] },
      { ...one, grants: ['a\n2:db'] },
    ];
    expect(new Set([one, ...others].map(preparedName)).size).toBe(5);
  });

  test('are whole files for root alone, and no more than asked for', async () => {
    const prepared = new PreparedRules(runDir, log());
    prepared.keep({ rules: [one, other], defaultMode: 'audit', engineResolvers: ['10.0.0.1', '::2'] });
    await prepared.close();
    expect(readdirSync(join(runDir, 'prepared')).sort()).toEqual(
      [fileOf(one), fileOf(other), 'mode', 'resolvers'].sort(),
    );
    expect(readFileSync(path(fileOf(one)), 'utf8')).toMatch(/^# \{.*"db".*\}\ntable inet x \{\}\n# end\n$/);
    expect(readFileSync(path(fileOf(other)), 'utf8')).toBe('#!iptables-restore\n*filter\n# end\n');
    expect(readFileSync(path('mode'), 'utf8')).toBe('audit\n');
    expect(readFileSync(path('resolvers'), 'utf8')).toBe('nameserver 10.0.0.1\nnameserver ::2\n');
    expect([statSync(path('')).mode & 0o777, statSync(path(fileOf(one))).mode & 0o777]).toEqual([
      0o700, 0o600,
    ]);
    writeFileSync(path('stale.nft'), '');
    prepared.keep({ rules: [other], defaultMode: 'enforce' });
    await prepared.close();
    expect(readdirSync(join(runDir, 'prepared')).sort()).toEqual([fileOf(other), 'mode'].sort());
  });

  test('of one kind stay while they are not known, and the others change', async () => {
    const prepared = new PreparedRules(runDir, log());
    const web = { keys: ['web'], mode: 'enforce', text: 'table inet y {}\n# end\n' } as const;
    const ofWeb = `${preparedIngressName(web)}.ingress`;
    const files = async () => {
      await prepared.close();
      return readdirSync(join(runDir, 'prepared')).sort();
    };
    prepared.keep({ rules: [one], ingress: [web], defaultMode: 'audit' });
    expect(await files()).toEqual([fileOf(one), ofWeb, 'mode'].sort());
    expect(readFileSync(path(ofWeb), 'utf8')).toBe(web.text);
    prepared.keep({ rules: [other], ingress: undefined, defaultMode: 'audit' });
    expect(await files()).toEqual([fileOf(other), ofWeb, 'mode'].sort());
    prepared.keep({ rules: undefined, ingress: [], defaultMode: 'audit' });
    expect(await files()).toEqual([fileOf(other), 'mode'].sort());
  });

  test('of several in a row the last counts, and what is equal is not written again', async () => {
    const prepared = new PreparedRules(runDir, log());
    for (const text of ['1', '2', '3']) prepared.keep({ rules: [{ ...one, text }], defaultMode: 'enforce' });
    await prepared.close();
    expect(readFileSync(path(fileOf(one)), 'utf8')).toContain('\n3\n');
    const { ino } = statSync(path(fileOf(one)));
    prepared.keep({ rules: [{ ...one, text: '3' }], defaultMode: 'enforce' });
    await prepared.close();
    expect(statSync(path(fileOf(one))).ino).toBe(ino);
  });

  test('that cannot be written are reported once, and written when they can', async () => {
    mkdirSync(join(runDir, '..'), { recursive: true });
    writeFileSync(runDir, 'a file where the folder should be');
    const logger = log();
    const prepared = new PreparedRules(runDir, logger);
    for (let times = 0; times < 2; times++) {
      prepared.keep({ rules: [one], defaultMode: 'enforce' });
      await prepared.close();
    }
    expect(logger.warn).toHaveBeenCalledTimes(1);
    rmSync(runDir);
    prepared.keep({ rules: [one], defaultMode: 'enforce' });
    await prepared.close();
    expect(readdirSync(join(runDir, 'prepared'))).toContain(fileOf(one));
  });
});

describe('records', () => {
  const whole =
    'owner egress\nfingerprint 0a1b\npid 42\nresolvers , 10.0.0.2, fd00::2\nraw none\nkind prepared\nend\n';

  test('are read for that start alone', async () => {
    mkdirSync(join(runDir, 'gate'), { recursive: true });
    writeFileSync(join(runDir, 'gate/c0ffee'), whole);
    const records = new GateRecords(runDir);
    const start = { id: 'c0ffee', pid: 42, startedAt: new Date().toISOString() };
    const resolvers = ['10.0.0.2', 'fd00::2'];
    const record = {
      fingerprint: '0a1b',
      kind: 'prepared',
      resolvers,
      hasRawSockets: false,
      reason: undefined,
    };
    expect(await records.read(start)).toEqual(record);
    expect(await records.read({ ...start, pid: 43 })).toBeUndefined();
    expect(await records.read(start, 'ingress')).toBeUndefined();
    writeFileSync(join(runDir, 'gate/c0ffee.ingress'), whole.replace('owner egress', 'owner ingress'));
    expect(await records.read(start, 'ingress')).toEqual(record);
    expect(await records.read({ ...start, id: 'other' })).toBeUndefined();
    expect(await records.read({ ...start, id: '../gate/c0ffee' })).toBeUndefined();
    utimesSync(join(runDir, 'gate/c0ffee'), 0, 0);
    expect(await records.read(start)).toBeUndefined();
  });

  test.each([
    whole.slice(0, -1),
    whole.slice(0, -5),
    '',
    'end\n',
    whole.replace('0a1b', 'x'),
    whole.replace('prepared', 'other'),
    whole.replace('pid 42', 'pid 4'),
    whole.replace('prepared', 'existing-namespace'),
    whole.replace('owner egress', 'owner host'),
    whole.replace('owner egress\n', ''),
  ])('%j is none', (text) => {
    expect(parseRecord(text, 42)).toBeUndefined();
  });

  test('say why it is lockdown', () => {
    const text =
      'owner egress\nfingerprint 0a1b\npid 42\nresolvers \nkind lockdown\nreason no prepared rules\nend\n';
    expect(parseRecord(text, 42)).toEqual({
      fingerprint: '0a1b',
      kind: 'lockdown',
      resolvers: [],
      hasRawSockets: true,
      reason: 'no prepared rules',
    });
  });

  test('tell of a namespace that held the rules of others', () => {
    const text = 'owner egress\nfingerprint \npid 42\nresolvers \nraw given\nkind existing-namespace\nend\n';
    const record = { fingerprint: undefined, kind: 'existing-namespace', hasRawSockets: true };
    expect(parseRecord(text, 42)).toMatchObject(record);
  });
});
