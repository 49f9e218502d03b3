/** Containers that look as if they were protected, and are not. */
import { expect, test } from 'vitest';
import { container } from '../support/containers.ts';
import { startFake } from '../support/fake-controller.ts';

const REASON =
  'it names ACL keys but not EGRESSTRATOR_ENABLE=1, so it has no rules and can reach everything; start it again with both';

test('keys without EGRESSTRATOR_ENABLE are told in status, for questions, and once in the log', async () => {
  const setup = startFake();
  setup.consul.put({ db: '10.0.0.1:tcp/80' });
  setup.engine.run(
    container('forgot', { environment: ['EGRESSTRATOR_ACL=db'] }),
    container('labelled', { environment: [], labels: { 'egresstrator.acl': 'db' } }),
    container('off', { environment: ['EGRESSTRATOR_ACL=db', 'EGRESSTRATOR_ENABLE=0'] }),
    container('other', { environment: ['PATH=/bin'] }),
    container('web'),
  );
  await setup.rest();
  setup.consul.put({ db: '10.0.0.2:tcp/80' });
  await setup.rest();
  const { notEnabled, unsupported } = setup.controller.answers.status();
  expect(notEnabled?.map(({ name, problem }) => [name, problem.reason])).toEqual([
    ['forgot', REASON],
    ['labelled', REASON],
  ]);
  expect(unsupported).toEqual([]);
  expect(setup.controller.answers.containerViews().notEnabled).toEqual(['forgot', 'labelled']);
  const warnings = setup.log.lines.filter(
    ({ fields }) => JSON.stringify(fields).includes(REASON) || JSON.stringify(fields).includes('forgot'),
  );
  expect(warnings.filter(({ fields }) => JSON.stringify(fields).includes('forgot'))).toHaveLength(1);
});

test('one on the network of the host is known to questions by its name', async () => {
  const setup = startFake();
  setup.consul.put({ db: '' });
  setup.engine.run(container('hosted', { network: { kind: 'host' } }));
  await setup.rest();
  expect(setup.controller.answers.containerViews().unsupported).toEqual([
    { name: 'hosted', id: 'hosted', reason: expect.stringContaining('--network host') },
  ]);
});
