/** The options of `egresstrator page`. */
import { expect, test } from 'vitest';
import { resolvePageConfig } from '../../../src/config/page-config.ts';

const PLACES = {
  '9000': { host: '127.0.0.1', port: 9000 },
  '0.0.0.0:9465': { host: '0.0.0.0', port: 9465 },
  '[::1]:9465': { host: '::1', port: 9465 },
  'egress.example:443': { host: 'egress.example', port: 443 },
  'unix:/run/page/page.sock': '/run/page/page.sock',
};

test.each(Object.entries(PLACES))('--page-listen %s', (pageListen, listen) => {
  expect(resolvePageConfig({ pageListen }, {}).listen).toEqual(listen);
});

test.each(['0', '65536', 'unix:page.sock', 'unix:', ':1', 'a b:1', '-1', 'http://a:1'])(
  '--page-listen %s is rejected',
  (pageListen) => {
    expect(() => resolvePageConfig({ pageListen }, {})).toThrow(
      `--page-listen: expected a port, host:port or unix:<path>, not "${pageListen}"`,
    );
  },
);

test('nothing is needed, and options of the controller do not count', () => {
  expect(resolvePageConfig({}, { CONSUL_HTTP_ADDR: ':', EGRESSTRATOR_MODE: 'wrong' })).toEqual({
    ...{
      watchSocket: '/run/egresstrator-watch/watch.sock',
      listen: { host: '127.0.0.1', port: 9465 },
      hosts: [],
    },
    ...{ tokenFile: undefined, cert: undefined, key: undefined, isPublishedOnLoopback: false },
  });
});

test('each has a variable, which a flag overrides', () => {
  const environment = {
    EGRESSTRATOR_WATCH_SOCKET: '/w',
    EGRESSTRATOR_PAGE_LISTEN: '1',
    EGRESSTRATOR_PAGE_HOST: 'a.example, b.example',
    EGRESSTRATOR_PAGE_TOKEN_FILE: '/t',
    EGRESSTRATOR_PAGE_CERT: '/c',
    EGRESSTRATOR_PAGE_KEY: '/k',
    EGRESSTRATOR_PAGE_ON_LOOPBACK: '1',
  };
  expect(resolvePageConfig({ pageKey: '/other' }, environment)).toEqual({
    ...{ watchSocket: '/w', listen: { host: '127.0.0.1', port: 1 }, hosts: ['a.example', 'b.example'] },
    ...{ tokenFile: '/t', cert: '/c', key: '/other', isPublishedOnLoopback: true },
  });
});
