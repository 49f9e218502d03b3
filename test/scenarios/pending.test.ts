/** What a service that fails may hold up: rules of a former run, and nothing else. */
import { expect, test } from 'vitest';
import { container } from '../support/containers.ts';
import { startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fake-world.ts';

const web = container('web');
const [ONE, TWO] = ['10.0.0.1 . tcp . 80', '10.0.0.2 . tcp . 80'];

test('a rule is revoked although the edit names a service that fails', async () => {
  const { consul, engine, kernel, rest } = startFake();
  consul.put({ db: '10.0.0.1:tcp/80\n10.0.0.2:tcp/80' });
  engine.run(web);
  await rest();
  expect(kernel.allowed(web)).toEqual([ONE, TWO]);
  consul.fail(new Error('not this one'));
  consul.put({ db: '10.0.0.1:tcp/80\nmute' });
  await rest();
  expect(kernel.allowed(web)).toEqual([ONE]);
});

test('so it is in a container that started while the service failed already', async () => {
  const { consul, engine, kernel, rest } = startFake();
  consul.fail(new Error('not this one'));
  consul.put({ db: '10.0.0.1:tcp/80\n10.0.0.2:tcp/80\nmute' });
  engine.run(web);
  await rest();
  expect(kernel.allowed(web)).toEqual([ONE, TWO]);
  consul.put({ db: '10.0.0.1:tcp/80\nmute' });
  await rest();
  expect(kernel.allowed(web)).toEqual([ONE]);
});

test('rules of a former run stay until the service has answered', async () => {
  const [engine, kernel, consul] = [new FakeEngine(), new FakeKernel(), new FakeConsul()];
  const before = startFake({ engine, kernel, consul });
  consul.register('web', [{ address: '10.0.0.2', port: 80, tags: [], node: 'n1' }]);
  consul.put({ db: '10.0.0.1:tcp/80\nweb' });
  engine.run(web);
  await before.rest();
  expect(kernel.allowed(web)).toEqual([ONE, TWO]);
  await before.controller.close();

  const silent = new FakeConsul();
  silent.error = new Error('not this one');
  const after = startFake({ engine, kernel, consul: silent });
  silent.put({ db: '10.0.0.1:tcp/80\nweb' });
  await after.rest();
  expect(kernel.allowed(web)).toEqual([ONE, TWO]);
  silent.register('web', []);
  await after.rest();
  expect(kernel.allowed(web)).toEqual([ONE]);
});
