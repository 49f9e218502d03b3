/** Who gets what from the page's process: headers, Host, sites, logins, and the addresses on which it does not start. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../../lab/ports.ts';
import { EMPTY_STATE } from '../../../src/live/state.ts';
import { type FakeWatchSocket, serveFakeWatchSocket } from '../../support/fake-watch-socket.ts';
import {
  asToken,
  INDEX_TEXT,
  type PageProcess,
  removeFolders,
  startPage,
  temporaryFolder,
  tokenIn,
} from '../../support/page-process.ts';

afterAll(removeFolders);

let page: PageProcess;
let controller: FakeWatchSocket;
let cookie: string;
beforeAll(async () => {
  page = await startPage({ hosts: ['egress.example'] });
  controller = await serveFakeWatchSocket(page.watchSocket, EMPTY_STATE, {
    '/v1/explain': (query) => ({ asked: [...query] }),
    '/v1/host/rules': () => ({ text: 'x'.repeat(100_000) }),
  });
  cookie = await page.logIn();
});
afterAll(async () => {
  await page.close();
  await controller.close();
});

const HTML = { accept: 'text/html,*/*;q=0.8' };

describe('every answer', () => {
  test.each([
    ['the page', '/', HTML, 200],
    ['a screen', '/workloads/web', HTML, 200],
    ['a file', '/assets/main.js', {}, 200],
    ['nothing', '/assets/none.js', HTML, 404],
    ['no login', '/live', {}, 401],
    ['a wrong host', '/', { host: 'attacker.example' }, 421],
    ['another site', '/assets/main.js', { 'sec-fetch-site': 'cross-site' }, 403],
    ['an invalid request', '/%zz', {}, 400],
  ])('has the security headers: %s', async (_, path, headers, status) => {
    const answer = await page.call(path, { headers });
    expect({ status: answer.status, headers: answer.headers }).toMatchObject({
      status,
      headers: {
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      },
    });
    expect(Object.keys(answer.headers)).not.toContain('access-control-allow-origin');
  });
});

describe('the Host header', () => {
  test.each([
    ['127.0.0.1:9465', 200],
    ['10.1.2.3', 200],
    ['[::1]:9465', 200],
    ['localhost:1', 200],
    ['egress.example', 200],
    ['attacker.example', 421],
    ['127.0.0.1.attacker.example', 421],
    ['egress.example.attacker.example', 421],
    ['a b', 400],
  ])('%s', async (host, status) => {
    for (const path of ['/', '/live', '/api/status', '/healthz', '/assets/main.js', '/session'])
      if (status !== 200) expect((await page.call(path, { headers: { host, cookie } })).status).toBe(status);
    expect((await page.call('/', { headers: { ...HTML, host } })).status).toBe(status);
  });
});

describe('a browser that another site made ask', () => {
  const site = (name: string, others = {}) => ({ 'sec-fetch-site': name, cookie, ...others });
  const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', ...HTML };

  test.each(['cross-site', 'same-site', 'anything'])('%s gets nothing, with a cookie too', async (name) => {
    for (const path of ['/', '/live', '/api/explain', '/assets/main.js', '/healthz'])
      expect((await page.call(path, { headers: site(name) })).status).toBe(403);
    for (const path of ['/live', '/api/explain', '/session'])
      expect((await page.call(path, { headers: site(name, navigation) })).status).toBe(403);
    const frame = { ...navigation, 'sec-fetch-dest': 'iframe' };
    expect((await page.call('/', { headers: site(name, frame) })).status).toBe(403);
  });

  test('may open the page by a link: it holds nothing', async () => {
    const answer = await page.call('/denied', { headers: site('cross-site', navigation) });
    expect(answer).toMatchObject({ status: 200, body: INDEX_TEXT });
  });

  test.each(['same-origin', 'none'])('%s is no other site', async (name) => {
    expect((await page.call('/api/explain', { headers: site(name) })).status).toBe(200);
  });

  test.each([
    ['http://attacker.example', 403],
    ['null', 403],
    ['http://127.0.0.1:1', 403],
  ])('is known by its origin where there is no other header: %s', async (origin, status) => {
    const asked = asToken('x'.repeat(40));
    const answer = await page.call('/session', { ...asked, headers: { ...asked.headers, origin } });
    expect(answer.status).toBe(status);
  });
});

describe('the one-time link', () => {
  test('is for loopback, has its token in the fragment, and works once', async () => {
    const line = page.lines.at(-1) ?? '';
    expect(line).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${page.port}/#token=[\\w-]{43}$`));
    const first = await page.call('/session', asToken(tokenIn(line)));
    expect(first.status).toBe(200);
    expect(first.headers['set-cookie']?.[0]).toMatch(
      new RegExp(`^egresstrator-${page.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
    );
    expect(page.lines.at(-1)).not.toBe(line);
    const second = await page.call('/session', asToken(tokenIn(line)));
    expect(second).toMatchObject({ status: 401, body: expect.stringContaining('wrong, used or too old') });
    expect(await page.logIn()).toContain('egresstrator-');
  });

  test.each([
    ['no JSON', 'token'],
    ['no object', '"token"'],
    ['an empty token', '{"token":""}'],
    ['no text', '{"token":[]}'],
    ['another field', '{"token":"a","__proto__x":1}'],
  ])('%s is rejected', async (_, body) => {
    const headers = { 'content-type': 'application/json' };
    expect((await page.call('/session', { method: 'POST', body, headers })).status).toBe(400);
  });

  test('a form of another site cannot log in: only JSON is read', async () => {
    const headers = { 'content-type': 'text/plain' };
    const answer = await page.call('/session', { method: 'POST', body: '{"token":"a"}', headers });
    expect(answer.status).toBe(415);
  });
});

describe('without a login', () => {
  test('a cookie of the same name that another port of this host has set logs nobody out', async () => {
    const [name] = cookie.split('=');
    const headers = { cookie: `${name}=theirs; ${cookie}` };
    expect((await page.call('/api/lint', { headers })).status).not.toBe(401);
  });

  test.each(['/live', '/live?x', '/live/', '/api/status', '/api/explain?container=web', '/api/'])(
    '%s says what to do',
    async (path) => {
      const answer = await page.call(path, { headers: { cookie: 'egresstrator-1=x; other' } });
      expect(answer.status).toBe(401);
      expect(answer.body).toContain('open the newest address that `egresstrator page` has printed');
      expect(controller.requests.filter((one) => one.includes('status'))).toEqual([]);
    },
  );

  test('the page itself is served, and whether it runs', async () => {
    expect((await page.call('/', { headers: HTML })).body).toBe(INDEX_TEXT);
    expect((await page.call('/healthz')).body).toBe('{"ok":true}');
  });
});

describe('with a login', () => {
  test('a question is passed on as it is', async () => {
    const { status, body, headers } = await page.call('/api/explain?container=web&target=db:5432', {
      headers: { cookie },
    });
    expect({ status, body: JSON.parse(body) }).toEqual({
      status: 200,
      body: {
        asked: [
          ['container', 'web'],
          ['target', 'db:5432'],
        ],
      },
    });
    expect(headers['content-type']).toContain('application/json');
    expect(controller.requests).toContain('GET /v1/explain?container=web&target=db:5432');
  });

  test.each(['/%61pi/lint?key=web', '/api/l%69nt?key=web#/../x'])(
    '%s asks what /api/lint asks',
    async (path) => {
      const before = controller.requests.length;
      await page.call(path, { headers: { cookie } });
      expect(controller.requests.slice(before)).toEqual(['GET /v1/lint?key=web']);
    },
  );

  test('an answer of any usual size arrives whole; an error of the controller stays one', async () => {
    expect((await page.call('/api/host/rules', { headers: { cookie } })).body).toHaveLength(100_011);
    const missing = await page.call('/api/keys', { headers: { cookie } });
    expect(missing).toMatchObject({ status: 404, body: '{"error":"no /v1/keys"}' });
  });

  test('nothing but the known questions reaches the controller, and nothing but GET', async () => {
    const before = controller.requests.length;
    const paths = [
      '/api/overrides',
      '/api/ports',
      '/api/diff',
      '/api/live',
      '/api/../v1/overrides',
      '/v1/overrides',
    ];
    for (const path of [...paths, '/api/explain/x', '/api/explain%2f..%2foverrides', '/api//v1/overrides'])
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'])
        expect(
          (await page.call(path, { method, headers: { cookie } })).status,
          `${method} ${path}`,
        ).toBeGreaterThan(400);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])
      for (const path of ['/api/explain', '/live', '/', '/healthz', '/assets/main.js'])
        expect((await page.call(path, { method, headers: { cookie } })).status, `${method} ${path}`).toBe(
          405,
        );
    expect(controller.requests.length).toBe(before);
  });

  test('a controller that is away is one sentence', async () => {
    const alone = await startPage();
    try {
      const headers = { cookie: await alone.logIn() };
      const { status, body } = await alone.call('/api/status', { headers });
      expect(status).toBe(502);
      expect(body).toContain(
        `no controller answers at ${alone.watchSocket}: it must run with --watch-socket`,
      );
    } finally {
      await alone.close();
    }
  });
});

describe('wrong tokens', () => {
  const tryWrong = async (at: PageProcess): Promise<readonly number[]> => {
    const codes: number[] = [];
    for (let count = 0; count < 12; count += 1)
      codes.push((await at.call('/session', asToken(`wrong ${count}`))).status);
    return codes;
  };
  const attempts = { burst: 10, interval: 3_600_000, most: 10 };
  const LIMITED = [...Array(10).fill(401), 429, 429];

  test('of a file are soon not looked at any more, nor is the right one until later', async () => {
    const token = 'x'.repeat(32);
    const tokenFile = join(temporaryFolder(), 'token');
    writeFileSync(tokenFile, token, { mode: 0o640 });
    const other = await startPage({ tokenFile }, { attempts });
    try {
      expect((await other.call('/session', asToken(token))).status).toBe(200);
      expect(await tryWrong(other)).toEqual(LIMITED);
      const right = await other.call('/session', asToken(token));
      expect(right.status).toBe(429);
      expect(Number(right.headers['retry-after'])).toBeGreaterThan(300);
    } finally {
      await other.close();
    }
  });

  test('lock nobody out who has the link', async () => {
    const other = await startPage({}, { attempts });
    try {
      expect(await tryWrong(other)).toEqual(LIMITED);
      expect(await other.logIn()).toContain('egresstrator-');
    } finally {
      await other.close();
    }
  });
});

describe('files', () => {
  test('are compressed as the browser accepts, and not sent again', async () => {
    const sizes = new Map<string, number>();
    for (const encoding of ['br', 'gzip', 'identity', 'br;q=0, gzip']) {
      const answer = await page.call('/assets/main.js', { headers: { 'accept-encoding': encoding } });
      sizes.set(String(answer.headers['content-encoding']), Number(answer.headers['content-length']));
      const again = { 'accept-encoding': encoding, 'if-none-match': String(answer.headers.etag) };
      expect((await page.call('/assets/main.js', { headers: again })).status).toBe(304);
    }
    expect([...sizes.keys()]).toEqual(['br', 'gzip', 'undefined']);
    expect(sizes.get('gzip')).toBeLessThan(200);
    expect(sizes.get('undefined')).toBeGreaterThan(2_000);
  });

  test('with a digest in their name are kept, others are asked for again', async () => {
    const kept = async (path: string) => (await page.call(path, { headers: HTML })).headers['cache-control'];
    expect(await kept('/assets/screen-C6MMZ76V.js')).toContain('immutable');
    expect(await kept('/assets/main.js')).toBe('no-cache');
    expect(await kept('/keys/a')).toBe('no-cache');
  });

  test('outside of the folder are not served', async () => {
    for (const path of ['/../package.json', '/assets/../../page-process.ts', '/%2e%2e/watch.sock'])
      expect((await page.call(path)).status).toBe(404);
  });
});

describe('does not start', () => {
  const folder = temporaryFolder();
  const file = (name: string, text: string, mode = 0o600): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode });
    chmodSync(path, mode);
    return path;
  };
  const everywhere = { listen: { host: '0.0.0.0', port: 1 } };
  const token = file('token', 'x'.repeat(32));

  test.each([
    [
      'where others can reach it',
      everywhere,
      /^others can reach 0\.0\.0\.0, so the page needs TLS and a token/,
    ],
    ['with a token and no TLS', { ...everywhere, tokenFile: token }, /needs TLS and a token/],
    ['on a name', { listen: { host: 'egress.example', port: 1 } }, /others can reach egress\.example/],
    [
      'on an address that looks like loopback',
      { listen: { host: '127.0.0.1.example', port: 1 } },
      /others can/,
    ],
    ['with half of TLS', { cert: token }, /^TLS needs both --page-cert and --page-key$/],
    [
      'on a socket with a token',
      { listen: '/tmp/x', tokenFile: token },
      /the proxy does TLS and authenticates/,
    ],
    [
      'with an empty token',
      { tokenFile: file('empty', '\n') },
      /expected at least 32 characters .* not 0, in/,
    ],
    ['with a short token', { tokenFile: file('short', 'x'.repeat(31)) }, /expected at least 32 characters/],
    ['with words', { tokenFile: file('words', 'a b '.repeat(20)) }, /one line of at most 512 ASCII/],
    [
      'with a token for everyone',
      { tokenFile: file('open', 'x'.repeat(40), 0o644) },
      /every user .*; chmod 640/,
    ],
    ['with no file', { tokenFile: join(folder, 'none') }, /^--page-token-file: cannot read .*none/],
    ['with a folder', { tokenFile: folder }, /it is a folder; name the file in it/],
    ['with no certificate', { cert: token, key: token }, /^--page-cert: .*token is no certificate \(PEM\)$/],
    [
      'on a foreign address',
      { listen: { host: '192.0.2.1', port: 1 }, isPublishedOnLoopback: true },
      /cannot be served at 192\.0\.2\.1:1 .*choose another by --page-listen/,
    ],
  ])('%s, and says the way out', async (_, config, sentence) => {
    const error = await startPage(config).then(
      async (started) => {
        await started.close();
        return 'it started';
      },
      (thrown: unknown) => (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : ''),
    );
    expect(error).toMatch(/^UserError: /);
    expect(error.replace('UserError: ', '')).toMatch(sentence);
    expect(error.split('\n')).toHaveLength(1);
  });

  test('without the page, which is built by a command', async () => {
    const empty = temporaryFolder();
    await expect(startPage({}, { assets: empty })).rejects.toThrow(
      `the page is not in ${empty}: build it first by \`npm run build\``,
    );
  });

  test('on a file that is no socket, which stays', async () => {
    const listen = file('kept', 'text');
    await expect(startPage({ listen })).rejects.toThrow(
      /cannot be served at .*kept \(it is there already, and is no socket\)/,
    );
    expect(readFileSync(listen, 'utf8')).toBe('text');
  });

  test('on a port that is taken', async () => {
    const taken = startPage({ listen: { host: '127.0.0.1', port: page.port } });
    await expect(taken).rejects.toThrow(
      /cannot be served at 127\.0\.0\.1:\d+ \(.*EADDRINUSE.*choose another/,
    );
  });
});

test('in a container it listens everywhere, and its link is for the loopback of the host', async () => {
  const [port = 0] = await freePorts(1);
  const inside = await startPage({ listen: { host: '0.0.0.0', port }, isPublishedOnLoopback: true });
  try {
    expect(inside.lines.at(-1)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=/);
    expect((await inside.call('/', { headers: { host: 'page' } })).status).toBe(421);
    expect((await inside.call('/live')).status).toBe(401);
  } finally {
    await inside.close();
  }
});

test('on a unix socket the proxy authenticates: all that it passes on is answered', async () => {
  const listen = join(temporaryFolder(), 'page.sock');
  // As a crash leaves it.
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen('${listen}', () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  expect(statSync(listen).isSocket()).toBe(true);
  const behind = await startPage({ listen, hosts: ['egress.example'] });
  try {
    expect(behind.lines).toEqual([`unix:${listen} (the proxy before it authenticates people)`]);
    expect((statSync(listen).mode & 0o777).toString(8)).toBe('660');
    const headers = { host: 'egress.example' };
    expect((await behind.call('/api/status', { headers })).status).toBe(502);
    expect((await behind.call('/session', { ...asToken('x'), headers })).status).toBe(405);
    expect((await behind.call('/', { headers: { host: 'attacker.example' } })).status).toBe(421);
  } finally {
    await behind.close();
  }
});
