/**
 * The arguments with which every command is called while all servers answer with one text.
 */
import { join } from 'node:path';

export interface Place {
  /** With the sockets of the controller and the Engine, and a file of rules. */
  readonly folder: string;
  readonly word: string;
}

export type Calls = readonly (readonly string[])[];

/** Options of `uninstall`: it finds only the files of this test's folder, and no controller. */
const apart = ({ folder, word }: Place): readonly string[] => [
  ...['--socket', join(folder, 'none.sock'), '--root', folder, '--lib-dir', '/lib'],
  ...['--state-dir', '/state', '--run-dir', '/run', '--node', word],
];

/** The calls of each command. A test checks that no command is missing. */
export const callsIn = (place: Place): Readonly<Record<string, Calls>> => {
  const { folder, word } = place;
  return {
    status: [[], [word], ['--cluster'], [`${word}-none`]],
    denied: [[], [word], ['--follow'], ['--in'], [word, '--in']],
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
        ...['tcp/443', 'tcp/80', 'icmp/8'].map((port) => [word, '10.0.0.9', port, '--in']),
        [word, word, word, '--in'],
        [word, word, '--in'],
      ],
    ],
    suggest: [
      ...[[], [word], ['--in'], [word, '--in'], ['--key', word], ['--key', `${word}-other`]],
      ...[word, `${word}-in`, `${word}-none`].map((key) => ['--in', '--key', key]),
    ],
    lint: [
      [],
      ['--file', join(folder, 'rules')],
      ['--key', word],
      ['--key', `${word}-none`],
      ['--file', word],
      ['--format', word],
      ['--ingress'],
      ['--ingress', '--file', join(folder, 'rules')],
      ...[word, `${word}-none`].map((key) => ['--ingress', '--key', key]),
      ...['github', 'sarif'].flatMap((format) => [
        ['--format', format],
        ['--format', format, '--file', join(folder, 'rules')],
      ]),
    ],
    diff: [
      [word, '--file', join(folder, 'rules')],
      [word],
      [word, '--ingress', '--file', join(folder, 'rules')],
      [`${word}-none`, '--ingress', '--file', join(folder, 'rules')],
    ],
    set: [['--all'], [word], [word, '--rules', word], []],
    clear: [['--all'], ['--all', '--yes'], [word]],
    uninstall: [
      [],
      ...[[], ['--json'], ['--yes'], ['--yes', '--keys']].map((args) => [...apart(place), ...args]),
    ],
    keys: [...[[], ['--ingress']].flatMap((args) => [args, [...args, '--socket', `${folder}/none.sock`]])],
    doctor: [[], [...apart(place).slice(0, 6)], ['--lib-dir', word], ['--image', word]],
    render: [['--acl', word], [word], ['--acl', word, '--template', word]],
    health: [[]],
    // Each ends before it listens.
    page: [
      ['--page-listen', `${word}:x`],
      ['--page-host', `${word} x`],
      ['--page-cert', word],
      ['--page-token-file', join(folder, word)],
      ['--page-cert', join(folder, word), '--page-key', word],
    ],
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
    host: [['status'], ['render'], ['restore', '--state-dir', `${folder}/state`]],
    ports: [[], ...['open', 'close', 'own'].map((kind) => [kind, word, 'tcp/443']), ['open', word, word]],
    forwards: [[]],
    networks: [
      ['check', join(folder, 'networks.json')],
      ['check', join(folder, 'rules'), '--strict'],
      ['check', word],
      ['check'],
      ['diff', join(folder, 'networks.json')],
      ['apply', join(folder, 'networks.json')],
      ['apply', join(folder, 'rules'), '--dry-run'],
      ['diff', join(folder, 'networks.json'), '--networks', join(folder, 'empty.json')],
    ],
    completion: [['bash'], ['zsh'], ['fish'], [word]],
  };
};
