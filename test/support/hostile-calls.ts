/**
 * How every command is called among others that say one word.
 */
import { join } from 'node:path';

export interface Place {
  /** With the sockets of the controller and the Engine, and a file of rules. */
  readonly folder: string;
  readonly word: string;
}

export type Calls = readonly (readonly string[])[];

/** What there is to uninstall is in this test's folder alone, and no controller answers. */
const apart = ({ folder, word }: Place): readonly string[] => [
  ...['--socket', join(folder, 'none.sock'), '--root', folder, '--lib-dir', '/lib'],
  ...['--state-dir', '/state', '--run-dir', '/run', '--node', word],
];

/** How each command is called. A test holds that none is missing. */
export const callsIn = (place: Place): Readonly<Record<string, Calls>> => {
  const { folder, word } = place;
  return {
    status: [[], [word], ['--cluster'], [`${word}-none`]],
    denied: [[], [word], ['--follow']],
    explain: [
      ...[
        [word, '10.0.0.5', 'tcp/443'],
        [word, '10.0.0.6', 'tcp/80'],
        [word, '10.0.0.5'],
        [word, 'pg'],
      ],
      ...[
        [word, word],
        [`${word}-none`, 'pg'],
        [word, '10.0.0.9', word],
        [word, 'pg', '--exit-code'],
        [`${word}-none`, 'pg', '--exit-code'],
      ],
    ],
    suggest: [[], [word], ['--key', word], ['--key', `${word}-other`]],
    lint: [
      [],
      ['--file', join(folder, 'rules')],
      ['--key', word],
      ['--key', `${word}-none`],
      ['--file', word],
      ['--format', word],
      ...['github', 'sarif'].flatMap((format) => [
        ['--format', format],
        ['--format', format, '--file', join(folder, 'rules')],
      ]),
    ],
    diff: [[word, '--file', join(folder, 'rules')], [word]],
    set: [['--all'], [word], [word, '--rules', word], []],
    clear: [['--all'], ['--all', '--yes'], [word]],
    uninstall: [
      [],
      ...[[], ['--json'], ['--yes'], ['--yes', '--keys']].map((args) => [...apart(place), ...args]),
    ],
    keys: [[], ['--socket', `${folder}/none.sock`]],
    doctor: [[], [...apart(place).slice(0, 6)], ['--lib-dir', word], ['--image', word]],
    render: [['--acl', word], [word], ['--acl', word, '--template', word]],
    health: [[]],
    gate: [
      ...[
        ['status', '--root', folder],
        ['status', '--root', folder, '--docker-host', `unix://${folder}/none.sock`],
        ['status', '--lib-dir', `/${word}`],
        ['install', '--root', `${folder}/${word}`],
      ],
      ...[
        ['uninstall', '--root', `${folder}/${word}`],
        ['status', '--lib-dir', word],
      ],
    ],
    completion: [['bash'], ['zsh'], ['fish'], [word]],
  };
};
