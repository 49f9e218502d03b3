/** What `npm start` tells people to type. */
import { expect, test } from 'vitest';
import { banner, commandFor } from '../../../scripts/banner.ts';

const started = {
  docker: 'docker',
  workload: 'busybox',
  consulAddress: '127.0.0.1:8500',
  isOwnConsul: true,
  exampleKey: 'egress/acl/example',
  rule: '172.17.0.0/16:tcp/8080',
  command: '/srv/egresstrator/bin/egresstrator',
  page: 'http://127.0.0.1:9465/#token=abc',
  programs: [],
};

test('the command that asks the controller, in a line of its own', () => {
  expect(banner(started)).toMatch(/^ {2}\/srv\/egresstrator\/bin\/egresstrator status$/m);
});

test('the page, in a line of its own, which a terminal opens; none where it does not run', () => {
  expect(banner(started)).toMatch(/^ {2}http:\/\/127\.0\.0\.1:9465\/#token=abc$/m);
  expect(banner({ ...started, page: undefined })).not.toContain('browser');
});

test('programs that are not on PATH are put there first, so that commands of the page run as they are', () => {
  const programs = ['/srv/egresstrator/bin', '/my code/usr/bin'];
  expect(banner({ ...started, programs })).toMatch(
    /^In another terminal, try:\n\n {2}export PATH=\/srv\/egresstrator\/bin:'\/my code\/usr\/bin':\$PATH\n {2}docker run/m,
  );
  expect(banner(started)).toMatch(/^In another terminal, try:\n\n {2}docker run/m);
});

test.each([
  ['the usual socket', [], {}, '/a/bin/egresstrator'],
  ['another one, by an option', ['--socket', '/tmp/x.sock'], {}, '/a/bin/egresstrator --socket /tmp/x.sock'],
  ['the same with =', ['-k', 'a/', '--socket=/tmp/x.sock'], {}, '/a/bin/egresstrator --socket /tmp/x.sock'],
  ['by a variable', [], { EGRESSTRATOR_SOCKET: '/tmp/x.sock' }, '/a/bin/egresstrator --socket /tmp/x.sock'],
  [
    'by both: the option counts',
    ['--socket', '/tmp/y.sock'],
    { EGRESSTRATOR_SOCKET: '/tmp/x.sock' },
    '/a/bin/egresstrator --socket /tmp/y.sock',
  ],
])('with %s', (_, args, environment, command) => {
  expect(commandFor('/a/bin/egresstrator', args, environment)).toBe(command);
});

test('paths with spaces are typed in quotes', () => {
  expect(commandFor('/my code/bin/egresstrator', ['--socket', "/it's/a"], {})).toBe(
    `'/my code/bin/egresstrator' --socket '/it'\\''s/a'`,
  );
});

test('a Consul that was started forgets, and that is said; one that was there is not spoken of', () => {
  expect(banner(started)).toContain(
    'a dev agent that was started for this run: it keeps keys in memory, and forgets',
  );
  const theirs = banner({ ...started, isOwnConsul: false });
  expect(theirs).not.toContain('forgets');
  expect(theirs).toContain('Consul at http://127.0.0.1:8500: put a key of yours there.\nIn another terminal');
});
