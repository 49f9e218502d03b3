/** What is left of the Engine's JSON, and that the rest costs nothing. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { affectedBy } from '../../../../src/sources/docker/events.ts';
import { JsonFilter, type Selection } from '../../../../src/sources/docker/json-filter.ts';
import { jsonLines } from '../../../../src/sources/docker/json-lines.ts';
import {
  LIST_SELECTION,
  readSelected,
  selectedStream,
} from '../../../../src/sources/docker/selected-fields.ts';

/** The same by way of the whole document. */
function selected(value: unknown, selection: Selection, parent = ''): unknown {
  if (Array.isArray(value)) {
    const kept: unknown[] = [];
    for (const item of value) {
      if (typeof item !== 'string' || selection.element(parent, item.slice(0, 8), kept.length))
        kept.push(selected(item, selection));
    }
    return kept;
  }
  if (typeof value !== 'object' || value === null) return value;
  let index = 0;
  const members = Object.entries(value).filter(([name, inner]) => {
    const stays = inner !== null && selection.member(parent, name, index);
    if (stays) index += 1;
    return stays;
  });
  return Object.fromEntries(members.map(([name, inner]) => [name, selected(inner, selection, name)]));
}

const leftOf = (pieces: readonly Uint8Array[], selection: Selection): string => {
  const filter = new JsonFilter(selection);
  return Buffer.concat(pieces.map((piece) => filter.push(piece))).toString();
};

describe('what is left', () => {
  const names = fc.constantFrom('Labels', 'Env', 'Cmd', 'Id', 'a', '"', '\\', '{', 'egresstrator."acl');
  const strings = fc.oneof(
    fc.constantFrom(
      '',
      'EGRESSTRATOR_X=1',
      'EGRESSTRATOR',
      '"]},{"Env":["EGRESSTRATOR_',
      '\\"',
      '\\\\',
      '\u0001\ud800',
    ),
    fc
      .array(fc.constantFrom('"', '\\', ',', '{', '}', '[', ']', ':', 'u0041', 'x', '\n', 'é'), {
        maxLength: 30,
      })
      .map((parts) => parts.join('')),
  );
  const { document } = fc.letrec<{ document: unknown }>((tie) => ({
    document: fc.oneof(
      { maxDepth: 5 },
      strings,
      fc.constantFrom(null, true, 0, -1.5e10),
      fc.array(tie('document'), { maxLength: 5 }),
      fc.dictionary(fc.oneof(names, strings), tie('document'), { maxKeys: 5 }),
    ),
  }));
  const selection: Selection = {
    member: (parent, name) => (parent === 'Labels' ? name.startsWith('egresstrator.') : name !== 'Cmd'),
    element: (parent, beginning, index) => parent !== 'Env' || (index < 3 && beginning.startsWith('EGRESS')),
    longest: 1_000,
  };

  test('is what the whole document would give, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(document, fc.boolean(), fc.array(fc.nat(50)), (value, isIndented, cuts) => {
        const bytes = Buffer.from(JSON.stringify(value, null, isIndented ? 2 : 0));
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        // As text: JSON.parse of V8 13.6 takes the name "\"" for "\\" at times.
        expect(leftOf(pieces, selection)).toBe(JSON.stringify(selected(value, selection)));
      }),
      { numRuns: 3_000 },
    );
  });

  test('is cut where a string is too long, and never within an escape', () => {
    for (let longest = 0; longest < 12; longest++) {
      const text = JSON.stringify({ Id: 'a\n\u0001"\\b', Name: 'x' });
      const found: unknown = JSON.parse(leftOf([Buffer.from(text)], { ...selection, longest }));
      expect(found).toMatchObject({ Name: longest === 0 ? '' : 'x' });
    }
  });
});

test('what an image is full of is not taken into memory', async () => {
  const many = (count: number, one: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => one(index)).join(',');
  const document = [
    `{"Id":"x","Args":[${many(200_000, (index) => `"a${index}"`)}],"Config":{"Env":["EGRESSTRATOR_ENABLE=1",`,
    `${many(200_000, (index) => `"V${index}=\\\\"`)}],"Labels":{"egresstrator.acl":"${'k,'.repeat(5_000_000)}",`,
    `${many(200_000, (index) => `"l${index}":"\\""`)}}},"NetworkSettings":{"Ports":{"80/tcp":[{"HostPort":"1"}],`,
    `${many(200_000, (index) => `"${index}/udp":null`)}}}}`,
  ];
  const found = await readSelected(Readable.from(document.map((part) => Buffer.from(part))), 'inspect it');
  expect(JSON.stringify(found).length).toBeLessThan(70_000);
  expect(found).toMatchObject({
    Id: 'x',
    Config: {
      Env: ['EGRESSTRATOR_ENABLE=1'],
      Labels: { 'egresstrator.acl': expect.stringMatching(/^k,k,/) },
    },
    NetworkSettings: { Ports: { '80/tcp': [{ HostPort: '1' }] } },
  });
});

test('of events, what says whom they concern', async () => {
  const events = [
    {
      Type: 'container',
      Action: 'start',
      Actor: { ID: 'a', Attributes: { 'egresstrator.acl': 'k,'.repeat(100_000), name: 'x' } },
    },
    {
      Type: 'network',
      Action: 'connect',
      Actor: { ID: 'n', Attributes: { container: 'a', name: 'bridge' } },
    },
  ];
  const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  const found: unknown[] = [];
  for await (const event of jsonLines(selectedStream(Readable.from([Buffer.from(text)])))) found.push(event);
  expect(found).toEqual([
    { Type: 'container', Action: 'start', Actor: { ID: 'a', Attributes: {} } },
    { Type: 'network', Action: 'connect', Actor: { ID: 'n', Attributes: { container: 'a' } } },
  ]);
  expect(found.map(affectedBy)).toMatchObject([
    { kind: 'container', id: 'a' },
    { kind: 'container', id: 'a' },
  ]);
});

test.each(['', '{"Id":"x"', 'no JSON'])('an answer that is no JSON, as %j, is an error', async (text) => {
  await expect(readSelected(Readable.from([Buffer.from(text)]), 'inspect it')).rejects.toThrow(
    "The Docker Engine's answer cannot be read: could not inspect it: it is not JSON, or incomplete.",
  );
});

test('only the words that somebody reads are kept, however many begin like them', async () => {
  const many = (count: number, name: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => name(index));
  const labels = Object.fromEntries(
    many(200, (index) => `egresstrator.x${index}`).map((name) => [name, 'x'.repeat(40_000)]),
  );
  const Env = many(200, (index) => `EGRESSTRATOR_X${index}=${'x'.repeat(1_000)}`);
  const Labels = { ...labels, 'egresstrator.enable': '1' };
  const container = { Id: 'a', Labels, Config: { Env: [...Env, 'EGRESSTRATOR_ENABLE=1'], Labels } };
  const read = (selection?: Selection) =>
    readSelected(Readable.from([Buffer.from(JSON.stringify(container))]), 'inspect it', selection);
  const left = { 'egresstrator.enable': '1' };
  expect(await read()).toEqual({
    Id: 'a',
    Labels: left,
    Config: { Env: ['EGRESSTRATOR_ENABLE=1'], Labels: left },
  });
  expect(await read(LIST_SELECTION)).toMatchObject({ Id: 'a', Labels: {} });
});

test('of a variable that is repeated for ever the first are kept, as the runner’s come first', async () => {
  const Env = ['EGRESSTRATOR_ACL=mine', ...Array(5_000).fill(`EGRESSTRATOR_ACL=${'x'.repeat(1_000)}`)];
  const text = JSON.stringify({ Config: { Env } });
  const found = await readSelected(Readable.from([Buffer.from(text)]), 'inspect it');
  expect(found).toMatchObject({ Config: { Env: expect.arrayContaining(['EGRESSTRATOR_ACL=mine']) } });
  expect(JSON.stringify(found).length).toBeLessThan(100_000);
});
