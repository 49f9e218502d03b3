/**
 * An image's words against its runner's: each tries to be taken for what the runner said.
 */

import type { Attacker } from './attacker.ts';
import type { Attempt } from './attempts.ts';
import { byLabels, byVariables } from './attempts.ts';
import type { ImageConfig } from './images.ts';

const RESOLVER = { at: 'names', port: 53 } as const;
const labelled = ['--label', 'egresstrator.enable=1', '--label', 'egresstrator.acl=db'];

/** The image contradicts its runner by words that stand in it in several ways. */
const contradictions: readonly Attempt[] = [
  {
    name: 'the image says audit, then another mode',
    image: { env: ['EGRESSTRATOR_MODE=audit', 'EGRESSTRATOR_MODE=x'] },
    run: byVariables,
    says: ['EGRESSTRATOR_MODE=audit'],
    isGranted: true,
  },
  {
    name: 'the image says another mode, then audit',
    image: { env: ['EGRESSTRATOR_MODE=x', 'EGRESSTRATOR_MODE=audit'] },
    run: byVariables,
    says: ['EGRESSTRATOR_MODE=x'],
    isGranted: true,
  },
  {
    name: 'the image says audit by label, and by variable otherwise',
    image: { env: ['EGRESSTRATOR_MODE=enforce'], labels: { 'egresstrator.mode': 'audit' } },
    run: byVariables,
    says: ['egresstrator.mode=audit'],
    isGranted: true,
  },
  {
    name: 'the image says audit, its runner an empty mode by label',
    image: { env: ['EGRESSTRATOR_MODE=audit'] },
    run: [...byVariables, '--label', 'egresstrator.mode='],
    says: ['EGRESSTRATOR_MODE=audit'],
    isGranted: true,
  },
  {
    name: 'the image says off twice',
    image: { env: ['EGRESSTRATOR_ENABLE=0', 'EGRESSTRATOR_ENABLE=9'] },
    run: byLabels,
    says: ['EGRESSTRATOR_ENABLE=0', 'egresstrator.enable=1'],
  },
  {
    name: 'the image says the same label as its runner, and off by variable',
    image: { env: ['EGRESSTRATOR_ENABLE=0'], labels: { 'egresstrator.enable': '1' } },
    run: byLabels,
    says: ['EGRESSTRATOR_ENABLE=0', 'egresstrator.enable=1'],
  },
  {
    name: 'the image says the same label as its runner, and more keys by variable',
    image: { env: ['EGRESSTRATOR_ACL=all'], labels: { 'egresstrator.acl': 'db' } },
    run: byLabels,
    says: ['EGRESSTRATOR_ACL=all', 'egresstrator.acl=db'],
  },
  {
    name: 'the image says more keys twice',
    image: { env: ['EGRESSTRATOR_ACL=all', 'EGRESSTRATOR_ACL=db,all'] },
    run: byLabels,
    says: ['EGRESSTRATOR_ACL=all', 'egresstrator.acl=db'],
  },
  {
    name: 'the image says the same label as its runner, and names by variable',
    image: { env: ['EGRESSTRATOR_DNS=resolvers'], labels: { 'egresstrator.dns': 'none' } },
    run: [...byLabels, '--label', 'egresstrator.dns=none'],
    says: ['EGRESSTRATOR_DNS=resolvers', 'egresstrator.dns=none'],
    target: RESOLVER,
  },
  {
    name: "the image says its runner's variables, and more keys by label",
    image: {
      env: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=db'],
      labels: { 'egresstrator.acl': 'all', 'egresstrator.enable': '0' },
    },
    run: byVariables,
    says: ['EGRESSTRATOR_ACL=db', 'egresstrator.acl=all', 'egresstrator.enable=0'],
  },
  {
    name: 'the image says more keys by label, its runner none by an empty variable',
    image: { labels: { 'egresstrator.acl': 'all' } },
    run: ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL='],
    says: ['EGRESSTRATOR_ACL=', 'egresstrator.acl=all'],
  },
  {
    name: 'the image says off with white space round it',
    image: { env: ['EGRESSTRATOR_ENABLE=\t0 \n', 'EGRESSTRATOR_ACL= all\u00a0\n'] },
    run: byLabels,
    says: ['EGRESSTRATOR_ENABLE=\t0 \n', 'EGRESSTRATOR_ACL= all\u00a0\n'],
  },
  {
    name: 'the image says names without a value',
    image: { env: ['EGRESSTRATOR_ENABLE', 'EGRESSTRATOR_ACL', 'EGRESSTRATOR_MODE'] },
    run: byLabels,
    says: ['EGRESSTRATOR_ENABLE', 'egresstrator.enable=1'],
  },
  {
    name: 'the image says its words in other case',
    image: {
      env: ['egresstrator_enable=0', 'Egresstrator_Mode=audit', 'EGRESSTRATOR_Acl=all'],
      labels: { 'Egresstrator.Mode': 'audit', 'egresstrator.ACL': 'all' },
    },
    run: byVariables,
    says: ['Egresstrator_Mode=audit', 'Egresstrator.Mode=audit'],
    isGranted: true,
  },
  {
    name: 'the image has labels of a helper that has expired',
    image: {
      labels: { 'egresstrator.role': 'helper', 'egresstrator.instance': 'x', 'egresstrator.expires': '1' },
    },
    run: byVariables,
    says: ['egresstrator.role=helper', 'egresstrator.expires=1'],
    isGranted: true,
  },
  {
    name: 'the image was committed from a container in audit mode',
    image: { env: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=all', 'EGRESSTRATOR_MODE=audit'] },
    run: byVariables,
    says: ['EGRESSTRATOR_MODE=audit'],
    isGranted: true,
  },
];

/** The image goes while its container is there, so that nobody can read any more who said what. */
async function loseImage({ testbed, id }: Attacker): Promise<void> {
  const image = await testbed.must('inspect', '--format', '{{.Image}}', id);
  await testbed.must('stop', '--time', '0', id);
  await testbed.must('rmi', '--force', image);
  await testbed.must('start', id);
}

const imageIsGone = async ({ testbed, id }: Attacker): Promise<boolean> => {
  const image = await testbed.must('inspect', '--format', '{{.Image}}', id);
  return (await testbed.docker('image', 'inspect', image)).code !== 0;
};

const lost: readonly Attempt[] = [
  {
    name: 'the image says audit and is removed',
    image: { env: ['EGRESSTRATOR_MODE=audit'] },
    run: byVariables,
    says: ['EGRESSTRATOR_MODE=audit'],
  },
  {
    name: 'the image says off and is removed',
    image: { env: ['EGRESSTRATOR_ENABLE=0'] },
    run: byLabels,
    says: ['EGRESSTRATOR_ENABLE=0'],
  },
  {
    name: 'the image says more keys and is removed',
    image: { env: ['EGRESSTRATOR_ACL=all'] },
    run: byLabels,
    says: ['EGRESSTRATOR_ACL=all'],
  },
].map((one) => ({ ...one, after: loseImage, hasEffect: imageIsGone }));

const OFF = ['EGRESSTRATOR_ENABLE=0', 'EGRESSTRATOR_ACL=all'];

/** The image's JSON by another spelling: a reader that is not the Engine finds other words in it. */
const spelled = (name: string, text: (config: ImageConfig) => string | Buffer, says = OFF): Attempt => ({
  name: `the image hides its words: ${name}`,
  image: { env: says, text },
  run: labelled,
  says,
});

const json = (value: unknown): string => JSON.stringify(value);
const replaced = (config: ImageConfig, from: string, to: string): string => json(config).replace(from, to);

const spellings: readonly Attempt[] = [
  spelled('CONFIG and ENV in capitals', (config) => replaced(config, '"config":{"Env"', '"CONFIG":{"ENV"')),
  spelled('\\u0063onfig', (config) => replaced(config, '"config":', '"\\u0063onfig":')),
  spelled('\\u0045nv', (config) => replaced(config, '"Env":', '"\\u0045nv":')),
  spelled('letters of the name as escapes', (config) =>
    json(config).replaceAll('"EGRESSTRATOR_', '"\\u0045\\u0047RESSTRATOR\\u005f'),
  ),
  spelled('letters of the value as escapes', (config) =>
    json(config).replaceAll('=0"', '=\\u0030"').replaceAll('=all"', '=\\u0061l\\u006C"'),
  ),
  {
    ...spelled('a long s in Labels', (config) => replaced(config, '"Labels":', '"Label\u017f":'), []),
    image: {
      env: OFF,
      labels: { 'egresstrator.enable': '0', 'egresstrator.acl': 'all' },
      text: (config) => replaced(config, '"Labels":', '"Label\u017f":'),
    },
    run: ['-e', 'EGRESSTRATOR_ENABLE=1', '--label', 'egresstrator.acl=db'],
    says: ['EGRESSTRATOR_ACL=all', 'egresstrator.acl=db'],
  },
  spelled('config twice, the second empty', (config) =>
    replaced(config, '"rootfs":', '"config":{},"rootfs":'),
  ),
  spelled('config twice, the first null', (config) => replaced(config, '{', '{"config":null,')),
  spelled('Env twice in other case', (config) => replaced(config, '"Env":', '"env":["PATH=/bin"],"Env":')),
  spelled('a decoy before and after', (config) =>
    json({
      container_config: { Env: ['PATH=/bin'] },
      ...config,
      Config: undefined,
      x: { config: { Env: [] } },
    }),
  ),
  spelled('5 MB of padding', (config) => json({ comment: 'A'.repeat(5 << 20), ...config })),
  spelled('3,000 levels of nesting', (config) =>
    replaced(config, '{', `{"deep":${'['.repeat(3_000)}${']'.repeat(3_000)},`),
  ),
  spelled('invalid UTF-8', (config) => Buffer.from(json(config).replaceAll('\ufffd', '\u00ff'), 'latin1'), [
    'EGRESSTRATOR_ENABLE=0',
    'EGRESSTRATOR_ACL=all,\ufffd',
    'EGRESSTRATOR_MODE=audit',
  ]),
  spelled('half of a surrogate pair', (config) => json(config).replaceAll('\ufffd', '\\ud800'), [
    'EGRESSTRATOR_ENABLE=0',
    'EGRESSTRATOR_ACL=all,\ufffd',
  ]),
  spelled('white space between all', (config) =>
    JSON.stringify(config, undefined, 2).replaceAll('":', '"\t\r\n :'),
  ),
  {
    ...spelled('a label that is null', (config) => replaced(config, '"NULL"', 'null'), [
      'EGRESSTRATOR_ENABLE=0',
      'egresstrator.dns=',
    ]),
    image: {
      env: ['EGRESSTRATOR_ENABLE=0'],
      labels: { 'egresstrator.dns': 'NULL' },
      text: (config) => replaced(config, '"NULL"', 'null'),
    },
  },
];

export const imageSettings: readonly Attempt[] = [...contradictions, ...lost, ...spellings];
