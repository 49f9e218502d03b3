/**
 * Settings of an image against those of `docker run`: each attempt tries to pass off the image's as the other's.
 */

import type { Attacker } from './attacker.ts';
import { type Attempt, enabledByLabels, enabledByVariables } from './attempts.ts';
import type { ImageConfig, ImageSpec } from './images.ts';

const RESOLVER = { at: 'names', port: 53 } as const;

type More = Partial<Pick<Attempt, 'options' | 'target' | 'isGranted'>>;

/** `docker run` enables the rules by labels. `expectedSettings`: what the Engine must make of both. */
const againstLabels = (
  name: string,
  image: ImageSpec,
  expectedSettings: readonly string[],
  more: More = {},
): Attempt => ({ name, image, options: enabledByLabels, expectedSettings, ...more });

/** `docker run` enables the rules by variables, which the image cannot change: its key must work. */
const againstVariables = (
  name: string,
  image: ImageSpec,
  expectedSettings: readonly string[],
  more: More = {},
): Attempt => ({
  ...{ name, image, options: enabledByVariables, expectedSettings },
  ...{ isGranted: true, ...more },
});

/** The image contradicts `docker run`, or itself. */
const contradictions: readonly Attempt[] = [
  againstVariables(
    'the image sets audit, then another mode',
    { env: ['EGRESSTRATOR_MODE=audit', 'EGRESSTRATOR_MODE=x'] },
    ['EGRESSTRATOR_MODE=audit'],
  ),
  againstVariables(
    'the image sets another mode, then audit',
    { env: ['EGRESSTRATOR_MODE=x', 'EGRESSTRATOR_MODE=audit'] },
    ['EGRESSTRATOR_MODE=x'],
  ),
  againstVariables(
    'the image sets audit by label, and enforce by variable',
    { env: ['EGRESSTRATOR_MODE=enforce'], labels: { 'egresstrator.mode': 'audit' } },
    ['egresstrator.mode=audit'],
  ),
  againstVariables(
    'the image sets audit, docker run an empty mode by label',
    { env: ['EGRESSTRATOR_MODE=audit'] },
    ['EGRESSTRATOR_MODE=audit'],
    { options: [...enabledByVariables, '--label', 'egresstrator.mode='] },
  ),
  againstLabels(
    'the image sets enable to 0, then to 9',
    { env: ['EGRESSTRATOR_ENABLE=0', 'EGRESSTRATOR_ENABLE=9'] },
    ['EGRESSTRATOR_ENABLE=0', 'egresstrator.enable=1'],
  ),
  againstLabels(
    'the image sets the same label as docker run, and enable to 0 by variable',
    { env: ['EGRESSTRATOR_ENABLE=0'], labels: { 'egresstrator.enable': '1' } },
    ['EGRESSTRATOR_ENABLE=0', 'egresstrator.enable=1'],
  ),
  againstLabels(
    'the image sets the same label as docker run, and more keys by variable',
    { env: ['EGRESSTRATOR_ACL=all'], labels: { 'egresstrator.acl': 'db' } },
    ['EGRESSTRATOR_ACL=all', 'egresstrator.acl=db'],
  ),
  againstLabels(
    'the image sets more keys twice',
    { env: ['EGRESSTRATOR_ACL=all', 'EGRESSTRATOR_ACL=db,all'] },
    ['EGRESSTRATOR_ACL=all', 'egresstrator.acl=db'],
  ),
  againstLabels(
    'the image sets the same label as docker run, and DNS by variable',
    { env: ['EGRESSTRATOR_DNS=resolvers'], labels: { 'egresstrator.dns': 'none' } },
    ['EGRESSTRATOR_DNS=resolvers', 'egresstrator.dns=none'],
    { options: [...enabledByLabels, '--label', 'egresstrator.dns=none'], target: RESOLVER },
  ),
  againstVariables(
    'the image sets the same variables as docker run, and more keys by label',
    {
      env: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=db'],
      labels: { 'egresstrator.acl': 'all', 'egresstrator.enable': '0' },
    },
    ['EGRESSTRATOR_ACL=db', 'egresstrator.acl=all', 'egresstrator.enable=0'],
    { isGranted: false },
  ),
  againstVariables(
    'the image sets more keys by label, docker run no keys by an empty variable',
    { labels: { 'egresstrator.acl': 'all' } },
    ['EGRESSTRATOR_ACL=', 'egresstrator.acl=all'],
    { options: ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL='], isGranted: false },
  ),
  againstLabels(
    'the image sets enable to 0 with white space around it',
    { env: ['EGRESSTRATOR_ENABLE=\t0 \n', 'EGRESSTRATOR_ACL= all\u00a0\n'] },
    ['EGRESSTRATOR_ENABLE=\t0 \n', 'EGRESSTRATOR_ACL= all\u00a0\n'],
  ),
  againstLabels(
    'the image sets variables without a value',
    { env: ['EGRESSTRATOR_ENABLE', 'EGRESSTRATOR_ACL', 'EGRESSTRATOR_MODE'] },
    ['EGRESSTRATOR_ENABLE', 'egresstrator.enable=1'],
  ),
  againstVariables(
    'the image writes settings in another letter case',
    {
      env: ['egresstrator_enable=0', 'Egresstrator_Mode=audit', 'EGRESSTRATOR_Acl=all'],
      labels: { 'Egresstrator.Mode': 'audit', 'egresstrator.ACL': 'all' },
    },
    ['Egresstrator_Mode=audit', 'Egresstrator.Mode=audit'],
  ),
  againstVariables(
    'the image has labels of a helper that has expired',
    {
      labels: { 'egresstrator.role': 'helper', 'egresstrator.instance': 'x', 'egresstrator.expires': '1' },
    },
    ['egresstrator.role=helper', 'egresstrator.expires=1'],
  ),
  againstVariables(
    'the image was committed from a container in audit mode',
    { env: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=all', 'EGRESSTRATOR_MODE=audit'] },
    ['EGRESSTRATOR_MODE=audit'],
  ),
];

/** Removes the image while its container exists: its own settings cannot be read any more. */
async function removeImage({ testbed, id }: Attacker): Promise<void> {
  const image = await testbed.must('inspect', '--format', '{{.Image}}', id);
  await testbed.must('stop', '--time', '0', id);
  await testbed.must('rmi', '--force', image);
  await testbed.must('start', id);
}

const isImageRemoved = async ({ testbed, id }: Attacker): Promise<boolean> => {
  const image = await testbed.must('inspect', '--format', '{{.Image}}', id);
  return (await testbed.docker('image', 'inspect', image)).code !== 0;
};

const removedImages: readonly Attempt[] = [
  againstVariables(
    'the image sets audit and is removed',
    { env: ['EGRESSTRATOR_MODE=audit'] },
    ['EGRESSTRATOR_MODE=audit'],
    { isGranted: false },
  ),
  againstLabels('the image sets enable to 0 and is removed', { env: ['EGRESSTRATOR_ENABLE=0'] }, [
    'EGRESSTRATOR_ENABLE=0',
  ]),
  againstLabels('the image sets more keys and is removed', { env: ['EGRESSTRATOR_ACL=all'] }, [
    'EGRESSTRATOR_ACL=all',
  ]),
].map((one) => ({ ...one, afterStart: removeImage, hasEffect: isImageRemoved }));

const DISABLED = ['EGRESSTRATOR_ENABLE=0', 'EGRESSTRATOR_ACL=all'];

/** The image's JSON in an unusual form: a parser other than the Engine's may find other settings in it. */
const encodedAs = (
  name: string,
  text: (config: ImageConfig) => string | Buffer,
  expectedSettings = DISABLED,
): Attempt =>
  againstLabels(
    `the image's JSON hides settings: ${name}`,
    { env: expectedSettings, text },
    expectedSettings,
  );

const json = (value: unknown): string => JSON.stringify(value);
const replaced = (config: ImageConfig, from: string, to: string): string => json(config).replace(from, to);

const encodings: readonly Attempt[] = [
  encodedAs('CONFIG and ENV in capitals', (config) => replaced(config, '"config":{"Env"', '"CONFIG":{"ENV"')),
  encodedAs('\\u0063onfig', (config) => replaced(config, '"config":', '"\\u0063onfig":')),
  encodedAs('\\u0045nv', (config) => replaced(config, '"Env":', '"\\u0045nv":')),
  encodedAs('letters of the name as escapes', (config) =>
    json(config).replaceAll('"EGRESSTRATOR_', '"\\u0045\\u0047RESSTRATOR\\u005f'),
  ),
  encodedAs('letters of the value as escapes', (config) =>
    json(config).replaceAll('=0"', '=\\u0030"').replaceAll('=all"', '=\\u0061l\\u006C"'),
  ),
  {
    ...encodedAs('a long s in Labels', (config) => replaced(config, '"Labels":', '"Label\u017f":'), []),
    image: {
      env: DISABLED,
      labels: { 'egresstrator.enable': '0', 'egresstrator.acl': 'all' },
      text: (config) => replaced(config, '"Labels":', '"Label\u017f":'),
    },
    options: ['-e', 'EGRESSTRATOR_ENABLE=1', '--label', 'egresstrator.acl=db'],
    expectedSettings: ['EGRESSTRATOR_ACL=all', 'egresstrator.acl=db'],
  },
  encodedAs('config twice, the second empty', (config) =>
    replaced(config, '"rootfs":', '"config":{},"rootfs":'),
  ),
  encodedAs('config twice, the first null', (config) => replaced(config, '{', '{"config":null,')),
  encodedAs('Env twice, once in lower case', (config) =>
    replaced(config, '"Env":', '"env":["PATH=/bin"],"Env":'),
  ),
  encodedAs('a decoy before and after', (config) =>
    json({
      container_config: { Env: ['PATH=/bin'] },
      ...config,
      Config: undefined,
      x: { config: { Env: [] } },
    }),
  ),
  encodedAs('5 MB of padding', (config) => json({ comment: 'A'.repeat(5 << 20), ...config })),
  encodedAs('3,000 levels of nesting', (config) =>
    replaced(config, '{', `{"deep":${'['.repeat(3_000)}${']'.repeat(3_000)},`),
  ),
  encodedAs('invalid UTF-8', (config) => Buffer.from(json(config).replaceAll('\ufffd', '\u00ff'), 'latin1'), [
    'EGRESSTRATOR_ENABLE=0',
    'EGRESSTRATOR_ACL=all,\ufffd',
    'EGRESSTRATOR_MODE=audit',
  ]),
  encodedAs('half of a surrogate pair', (config) => json(config).replaceAll('\ufffd', '\\ud800'), [
    'EGRESSTRATOR_ENABLE=0',
    'EGRESSTRATOR_ACL=all,\ufffd',
  ]),
  encodedAs('white space between all tokens', (config) =>
    JSON.stringify(config, undefined, 2).replaceAll('":', '"\t\r\n :'),
  ),
  {
    ...encodedAs('a label that is null', (config) => replaced(config, '"NULL"', 'null'), [
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

export const imageSettings: readonly Attempt[] = [...contradictions, ...removedImages, ...encodings];
