/** `explain --exit-code`: 0 it passes, 1 it does not, 2 nobody can tell. */
import { expect, test } from 'vitest';
import { UnansweredError, UsageError, UserError } from '../../../../src/common/errors.ts';
import { askController, controlsOf } from '../../../support/ask-controller.ts';
import { diagnosticsOf } from '../../../support/snapshot.ts';
import { instance } from '../../diagnostics/fixtures.ts';

type Place = { readonly mode?: 'enforce' | 'audit'; readonly state?: 'isolated' };

async function ask({ mode = 'enforce', state }: Place, ...args: readonly string[]) {
  const place = { workloads: ['web'], ids: ['aa'], target: 'web', grants: ['app'], dns: 'none' } as const;
  const controls = controlsOf({
    diagnostics: diagnosticsOf(() => ({
      namespaces: [{ ...place, mode, state }],
      keys: { app: '10.0.0.1:tcp/80' },
      services: { pair: [instance('10.0.0.1', 80), instance('10.0.0.2', 80)] },
    })),
  });
  const { error, stdout } = await askController(controls, 'explain', ...args, '--exit-code');
  const code =
    error instanceof UnansweredError || error instanceof UsageError ? 2 : error instanceof UserError ? 1 : 0;
  return { code, answered: stdout !== '', name: error instanceof Error ? error.message : '' };
}

test.each([
  ['what a rule allows', {}, ['web', '10.0.0.1', 'tcp/80'], 0],
  ['what none allows', {}, ['web', '10.0.0.1', 'tcp/81'], 1],
  ['what audit mode lets pass', { mode: 'audit' }, ['web', '10.0.0.1', 'tcp/81'], 0],
  ['what is allowed and isolated', { state: 'isolated' }, ['web', '10.0.0.1', 'tcp/80'], 1],
  ['a service of which one instance may not be reached', {}, ['web', 'pair'], 1],
] as const)('%s', async (_name, place, args, code) => {
  expect(await ask(place, ...args)).toMatchObject({ code, answered: true });
});

test.each([
  ['a container that is not there', ['nobody', '10.0.0.1', 'tcp/80'], 'no container "nobody"'],
  ['a service that is not there', ['web', 'nothing'], 'service nothing'],
  ['a name without a port', ['web', 'api.stripe.com'], 'add them after api.stripe.com, such as tcp/443'],
  ['an address without a port', ['web', '10.0.0.1'], 'add them after 10.0.0.1, such as tcp/443'],
] as const)('%s is no answer', async (_name, args, message) => {
  expect(await ask({}, ...args)).toEqual({
    code: 2,
    answered: false,
    name: expect.stringContaining(message),
  });
});
