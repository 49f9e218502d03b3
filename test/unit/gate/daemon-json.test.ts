/**
 * daemon.json with and without the gate: what others wrote stays, byte for byte.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDaemonJson, withGate, withoutGate, withoutRuntimes } from '../../../src/gate/daemon-json.ts';
import { removeMember, setMember } from '../../../src/gate/json-text.ts';

const path = '/lib/runtime';

describe('the gate in daemon.json', () => {
  test.each([
    [undefined, '{\n  "runtimes": {\n    "egresstrator": {\n      "path": "/lib/runtime"\n    }\n  }\n}\n'],
    ['', '{\n  "runtimes": {\n    "egresstrator": {\n      "path": "/lib/runtime"\n    }\n  }\n}\n'],
    ['{"debug":true}', '{"debug":true,"runtimes":{"egresstrator":{"path":"/lib/runtime"}}}'],
    [
      '{\n\t"mtu": 1450.0,\n\t"runtimes": {\n\t\t"x": { "path": "/x" }\n\t}\n}\n',
      '{\n\t"mtu": 1450.0,\n\t"runtimes": {\n\t\t"x": { "path": "/x" },\n\t\t"egresstrator": {\n\t\t\t"path": "/lib/runtime"\n\t\t}\n\t}\n}\n',
    ],
    [
      '{\n    "runtimes": {},\n    "big": 12345678901234567890\n}',
      '{\n    "runtimes": {\n        "egresstrator": {\n            "path": "/lib/runtime"\n        }\n    },\n    "big": 12345678901234567890\n}',
    ],
  ])('%j', (before, after) => {
    expect(withGate(before, path, false)).toBe(after);
    expect(withGate(after, path, false)).toBe(after);
  });

  test('an old path is replaced, another default kept until it is asked for', () => {
    const old =
      '{"default-runtime":"x","runtimes":{"egresstrator":{"path":"/old","runtimeArgs":["a"]},"x":{"path":"/x"}}}';
    const added = withGate(old, path, false);
    expect(JSON.parse(added)).toEqual({
      'default-runtime': 'x',
      runtimes: { egresstrator: { path }, x: { path: '/x' } },
    });
    const asDefault = withGate(added, path, true);
    expect(JSON.parse(asDefault)['default-runtime']).toBe('egresstrator');
    expect(JSON.parse(withoutGate(asDefault, 'x'))).toEqual({
      'default-runtime': 'x',
      runtimes: { x: { path: '/x' } },
    });
  });

  test('taking it out leaves what others wrote meanwhile', () => {
    const text = withGate('{\n  "a": [1, {"b": "}"}]\n}\n', path, true).replace('[1', '[2,   1');
    expect(withoutGate(text, undefined)).toBe('{\n  "a": [2,   1, {"b": "}"}]\n}\n');
  });

  test('to make an Engine forget, it says what is left out', () => {
    expect(JSON.parse(withoutRuntimes(undefined))).toEqual({ runtimes: {}, 'default-runtime': 'runc' });
    const own = '{"runtimes":{"x":{"path":"/x"}},"default-runtime":"x"}';
    expect(withoutRuntimes(own)).toBe(own);
  });

  test.each([
    ['{"a":1,}', /^\/e\/d\.json is not valid JSON at position 7/],
    ['{"a":1', /^\/e\/d\.json is not valid JSON at /],
    ['// x\n{}', /not valid JSON at position 0|not valid JSON at its/],
    ['[]', /was not changed: its content is not valid for Docker/],
    ['{"runtimes":[]}', /"runtimes" is not valid for Docker/],
    ['{"default-runtime":1}', /"default-runtime" is not/],
  ])('%j is refused in one sentence', (text, sentence) => {
    expect(() => parseDaemonJson(text, '/e/d.json')).toThrow(sentence);
  });
});

test('setting and removing a member changes that member alone, in any JSON', () => {
  // No keys with escapes: JSON.parse of Node 24.21 itself confuses those of one object with another's.
  const key = fc.constantFrom('runtimes', 'a', 'egresstrator', '}', '{', '', 'é', ':', ',');
  const value = fc.letrec((tie) => ({
    any: fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null), tie('list'), tie('object')),
    list: fc.array(tie('any'), { maxLength: 3 }),
    object: fc.dictionary(key, tie('any'), { maxKeys: 4 }),
  }));
  const indent = fc.constantFrom(undefined, '  ', '    ', '\t');
  fc.assert(
    fc.property(value.object, indent, (content, space) => {
      const text = JSON.stringify(content, null, space);
      const set = setMember(text, ['new', 'inner'], { path: 1 });
      expect(JSON.parse(set)).toEqual({ ...JSON.parse(text), new: { inner: { path: 1 } } });
      expect(JSON.parse(removeMember(set, ['new']))).toEqual(JSON.parse(text));
      if (Object.keys(JSON.parse(text)).length === 0) return;
      expect(removeMember(set, ['new'])).toBe(text);
      if (space !== undefined) expect(set).toBe(JSON.stringify(JSON.parse(set), null, space));
    }),
  );
});
