/** What a shell offers, asked of real shells where they are there. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addCompletion, completionScript } from '../../../src/cli/completion.ts';
import { silentProgram } from '../../support/program.ts';

function program(): Command {
  const main = new Command('egresstrator').option('-c, --consul <address>', "Consul's address");
  main.command('set').description('load rules').argument('[container]').option('--all', 'all');
  const gate = main.command('gate').description('the gate').option('--json', 'JSON');
  gate.command('install').description('install it').option('--json', 'JSON').option('--default', 'for all');
  return main;
}

/** What bash offers when TAB is pressed after these words. */
const offered = (...words: readonly string[]) => offeredWith('echo web', ...words);

/** `docker`: what stands for `docker ps`. */
const offeredWith = (docker: string, ...words: readonly string[]): readonly string[] =>
  offeredBy(program(), docker, ...words);

function offeredBy(of: Command, docker: string, ...words: readonly string[]): readonly string[] {
  const script = `docker() { ${docker}; }
${completionScript('bash', of)}
COMP_WORDS=(egresstrator ${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length}
_egresstrator
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  return printed.split('\n').filter((line) => line !== '');
}

test('commands and options come first', () => {
  expect(offered('')).toEqual(['set', 'gate', '--consul']);
  expect(offered('s')).toEqual(['set']);
});

test('a command has its own options, commands, and containers where it takes one', () => {
  expect(offered('set', '')).toEqual(['--all', 'web']);
  expect(offered('--consul', 'x', 'set', '--')).toEqual(['--all']);
  expect(offered('gate', '')).toEqual(['install', '--json', '--default']);
  expect(offered('gate', 'install', '--d')).toEqual(['--default']);
});

test.each([
  ['lint', '--i', ['--ingress']],
  ['keys', '--i', ['--ingress']],
  ['diff', '--i', ['--ingress']],
  ['denied', '--i', ['--in']],
  ['explain', '--i', ['--in']],
  ['suggest', '--', ['--key', '--in', '--json']],
])('%s has the options of both directions', (command, beginning, options) => {
  expect(offeredBy(silentProgram(), 'echo web', command, beginning)).toEqual(options);
});

test('what can be no name of a container is not offered, as bash would expand it', () => {
  const docker = `echo 'web $(touch offered)'; echo '$(touch offered)'; echo '\`touch offered\`'; echo web-1`;
  expect(offeredWith(docker, 'set', '')).toEqual(['--all', 'web-1']);
  expect(existsSync('offered')).toBe(false);
});

test('zsh gets the script of bash, and fish one of its own', () => {
  expect(completionScript('zsh', program())).toContain('bashcompinit');
  expect(completionScript('fish', program())).toContain(
    "complete -c egresstrator -n '__fish_use_subcommand' -l consul -d 'Consul\\'s address'",
  );
});

test('another shell is refused in a sentence', () => {
  const main = program().exitOverride();
  addCompletion(main, () => {});
  expect(() => main.parse(['completion', 'tcsh'], { from: 'user' })).toThrow(
    'completion: expected one of bash, zsh, fish',
  );
});
