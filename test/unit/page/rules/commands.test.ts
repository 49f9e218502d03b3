/** Commands with the text of a key in them: a shell and a terminal read them as they are meant. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  diffFileCommand,
  diffTextCommand,
  hasCommands,
  lintKeyCommand,
  putTextCommand,
  withInput,
} from '../../../../page/rules/commands.ts';

const place = (key: string, direction: 'egress' | 'ingress' = 'egress') => ({
  ...{ key, direction, folder: '/egress/acl/' },
});

test('no line of the text ends the command early', () => {
  expect(putTextCommand(place("it's"), 'RULES\nRULES_')).toBe(
    "consul kv put 'egress/acl/it'\\''s' - <<'RULES__'\nRULES\nRULES_\nRULES__",
  );
});

test('a text that ends its last line is not given another', () => {
  expect(putTextCommand(place('db'), 'redis\n')).toBe(
    "consul kv put egress/acl/db - <<'RULES'\nredis\nRULES",
  );
  expect(putTextCommand(place('db'), '')).toBe("consul kv put egress/acl/db - <<'RULES'\nRULES");
});

test('commands about ingress keys say so', () => {
  expect(diffTextCommand(place('in', 'ingress'), 'a:tcp/1')).toContain(
    'egresstrator diff --ingress in --file -',
  );
  expect(lintKeyCommand(place('in', 'ingress'))).toBe('egresstrator lint --ingress --key in');
});

test('a key that looks like an option has no command', () => {
  expect(hasCommands(place('-x'))).toBe(false);
  expect(hasCommands(place('db'))).toBe(true);
  expect(diffFileCommand(place('-x'))).toBe('egresstrator diff <key> --file <path>');
  expect(lintKeyCommand(place('a\u001b[0m'))).toBe('egresstrator lint --key <key>');
  expect(diffFileCommand(place("it's", 'ingress'))).toBe(
    "egresstrator diff --ingress 'it'\\''s' --file <path>",
  );
});

test('characters that control a terminal are shown, not sent', () => {
  expect(withInput('cat', 'a\u001b[201~b\r\nc\u202e')).toBe("cat <<'RULES'\na\\x1b[201~b\nc\\u202e\nRULES");
});

test('a shell reads the text as it is', () => {
  const line = fc.constantFrom('redis', '$(id)', '`id`', "it's", '"', '\\', 'RULES', '# ünï', '', ' x');
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
      const text = lines.map((one) => one.trimEnd()).join('\n');
      const read = execFileSync('sh', ['-c', withInput('cat', text)], { encoding: 'utf8' });
      expect(read).toBe(text === '' || text.endsWith('\n') ? text : `${text}\n`);
    }),
    { numRuns: 40 },
  );
});
