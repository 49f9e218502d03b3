/** Keys are parsed once for each of their texts. */
import { expect, test } from 'vitest';
import { parseAcl } from '../../../src/policy/acl.ts';

test('a key with the same text is the same object, and one with another text is parsed', () => {
  const before = parseAcl(
    new Map([
      ['kept', '10.0.0.1:tcp/1'],
      ['edited', '10.0.0.2:tcp/2'],
    ]),
  );
  const after = parseAcl(
    new Map([
      ['kept', '10.0.0.1:tcp/1'],
      ['edited', '10.0.0.2:tcp/2\n10.0.0.3:tcp/3'],
    ]),
    before,
  );
  expect(after.get('kept')).toBe(before.get('kept'));
  expect(after.get('edited')?.rules).toHaveLength(2);
});
