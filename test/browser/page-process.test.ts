/**
 * The page's process as operators run it: as a user without privileges, with TLS, and behind nginx as docs/installing.md has
 * it. What it can reach is changed by nothing that it is sent.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificates, makeCertificates } from '../../lab/consul/certificates.ts';
import { type Nginx, startNginx } from '../../lab/nginx.ts';
import { inCheckout } from '../../lab/paths.ts';
import { freePorts } from '../../lab/ports.ts';
import { waitFor } from '../../lab/wait.ts';
import { EMPTY_STATE, type LiveState } from '../../src/live/state.ts';
import { PROGRAM } from '../support/egresstrator.ts';
import { type FakeWatchSocket, serveFakeWatchSocket } from '../support/fake-watch-socket.ts';
import {
  asToken,
  type PageProcess,
  removeFolders,
  startPage,
  temporaryFolder,
  tokenIn,
} from '../support/page-process.ts';

afterAll(removeFolders);

const withKey = (text: string): LiveState => ({ ...EMPTY_STATE, keys: new Map([['db', { text }]]) });

describe('as nobody, in the group of the watch socket', () => {
  const GROUP = 64_999;
  const NOBODY = 65_534;
  const folder = temporaryFolder();
  const socket = join(folder, 'watch', 'watch.sock');
  let controller: FakeWatchSocket;
  let port = 0;

  beforeAll(async () => {
    [port = 0] = await freePorts(1);
    // A checkout may be where nobody can read it.
    const root = resolve(dirname(PROGRAM), '../..');
    for (const path of ['dist', 'package.json'])
      cpSync(join(root, path), join(folder, path), { recursive: true, dereference: true });
    writeFileSync(
      join(folder, 'start.mjs'),
      `const [group] = process.argv.splice(2, 1);
process.setgroups(group === 'none' ? [] : [Number(group)]);
process.setgid(${NOBODY});
process.setuid(${NOBODY});
await import('./dist/cli/main.js');
`,
    );
    spawnSync('chmod', ['-R', 'a+rX', folder]);
    mkdirSync(dirname(socket), { mode: 0o750 });
    controller = await serveFakeWatchSocket(socket, withKey('a'), {
      '/v1/status': () => ({ namespaces: [] }),
    });
    chmodSync(socket, 0o660);
    for (const path of [dirname(socket), socket]) chownSync(path, 0, GROUP);
  });
  afterAll(() => controller.close());

  const start = (group: string): ChildProcess & { output: string } => {
    const args = [
      join(folder, 'start.mjs'),
      group,
      'page',
      '--watch-socket',
      socket,
      '--page-listen',
      `${port}`,
    ];
    const child = Object.assign(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }), {
      output: '',
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        child.output += part;
      });
    return child;
  };
  const end = (child: ChildProcess): Promise<unknown> => {
    child.kill('SIGTERM');
    return waitFor(() => child.exitCode !== null || child.signalCode !== null, {
      what: 'the end of the page',
    });
  };
  const call = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, init);
  async function logIn(child: { readonly output: string }): Promise<string> {
    await waitFor(() => /#token=\S+\n/.test(child.output), { what: 'the address of the page' });
    const { method, headers, body } = asToken(tokenIn(child.output.trim()));
    const answer = await call('/session', {
      method: method ?? 'POST',
      headers: { ...headers },
      body: body ?? '',
    });
    return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  }

  test('it shows what the controller says, has no capability, and passes on nothing but GET', async () => {
    const child = start(`${GROUP}`);
    try {
      const cookie = await logIn(child);
      expect(await (await call('/api/status', { headers: { cookie } })).json()).toEqual({ namespaces: [] });
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(status).toMatch(new RegExp(`^Uid:\t${NOBODY}\t${NOBODY}\t${NOBODY}\t${NOBODY}$`, 'm'));
      const paths = [
        '/v1/overrides',
        '/v1/ports',
        '/v1/diff',
        '/api/status',
        '/api/overrides',
        '/api/diff',
        '/live',
        '/',
      ];
      for (const path of paths)
        for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
          expect(
            (await call(path, { method, headers: { cookie } })).status,
            `${method} ${path}`,
          ).toBeGreaterThan(400);
      expect(controller.requests).toEqual(['GET /v1/status']);
    } finally {
      await end(child);
    }
    expect(child.exitCode).toBe(0);
  });

  test('outside of that group it says so, and what to do', async () => {
    const child = start('none');
    try {
      const cookie = await logIn(child);
      const answer = await call('/api/status', { headers: { cookie } });
      expect(answer.status).toBe(502);
      expect(await answer.json()).toEqual({
        error: `the page may not use ${socket}: run it in the group that the socket belongs to (--watch-group of the controller)`,
      });
    } finally {
      await end(child);
    }
  });
});

describe('with TLS', () => {
  const folder = temporaryFolder();
  const token = 'a-token-of-at-least-thirty-two-characters';
  let certificates: Certificates;
  let page: PageProcess;
  let controller: FakeWatchSocket;

  beforeAll(async () => {
    certificates = await makeCertificates(join(folder, 'ca'), ['egress.example']);
    const { certFile: cert, keyFile: key } = certificates.server;
    for (const path of [key, certificates.client.keyFile]) chmodSync(path, 0o600);
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    const [port = 0] = await freePorts(1);
    page = await startPage({
      listen: { host: '127.0.0.1', port },
      hosts: ['egress.example'],
      cert,
      key,
      tokenFile,
    });
    controller = await serveFakeWatchSocket(page.watchSocket, withKey('over TLS'));
  });
  afterAll(async () => {
    await page.close();
    await controller.close();
  });

  test('a client that trusts the authority is served; its cookie is for this host over TLS alone', async () => {
    expect(page.lines.join()).toMatch(
      /^https:\/\/127\.0\.0\.1:\d+ \(log in with the token in the file of --page-token-file\)$/,
    );
    const ca = readFileSync(certificates.caFile);
    const body = await new Promise<string>((done, failed) => {
      const port = Number(/:(\d+) /.exec(page.lines[0] ?? '')?.[1]);
      const to = {
        host: '127.0.0.1',
        port,
        servername: 'egress.example',
        ca,
        path: '/healthz',
        agent: false,
      };
      request(to, (response) => text(response).then(done, failed))
        .on('error', failed)
        .end();
    });
    expect(body).toBe('{"ok":true}');
    expect((await page.call('/session', asToken(token.slice(1)))).status).toBe(401);
    const { status, headers } = await page.call('/session', asToken(token));
    expect(status).toBe(200);
    expect(headers['set-cookie']?.[0]).toMatch(
      /^__Host-egresstrator-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    // The token of a file is for everyone who has it, any number of times.
    expect((await page.call('/session', asToken(token))).status).toBe(200);
  });

  test('the stream comes over it', async () => {
    const [cookie = ''] = (await page.call('/session', asToken(token))).headers['set-cookie'] ?? [];
    const response = await page.open('/live', { headers: { cookie: cookie.split(';')[0] ?? '' } });
    let seen = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      seen += part;
    });
    await waitFor(() => seen.includes('over TLS'), { what: 'the snapshot' });
    controller.set(withKey('changed'));
    await waitFor(() => seen.includes('changed'), { what: 'the change' });
    response.destroy();
  });

  test('nothing is served without it', async () => {
    const [, address = ''] = /^https:\/\/(\S+)/.exec(page.lines[0] ?? '') ?? [];
    await expect(fetch(`http://${address}/healthz`)).rejects.toThrow();
  });

  test.each([
    [
      'a key that every user may read',
      () => ({ key: 0o644 }),
      /every user of this host may read .*chmod 640/,
    ],
    [
      'a certificate of another key',
      () => ({ cert: certificates.client.certFile }),
      /does not belong to the key in/,
    ],
    ['a key that is none', () => ({ key: certificates.caFile }), /--page-key: .* is no private key/],
  ])('%s: it does not start', async (_, make, sentence) => {
    const { certFile, keyFile } = certificates.server;
    const wrong: { readonly cert?: string; readonly key?: string | number } = make();
    if (typeof wrong.key === 'number') chmodSync(keyFile, wrong.key);
    if (wrong.key === certificates.caFile) chmodSync(certificates.caFile, 0o600);
    const key = typeof wrong.key === 'string' ? wrong.key : keyFile;
    await expect(startPage({ cert: wrong.cert ?? certFile, key })).rejects.toThrow(sentence);
    chmodSync(keyFile, 0o600);
  });
});

describe('behind nginx, as the document has it', () => {
  const folder = temporaryFolder();
  const listen = join(folder, 'page.sock');
  let nginx: Nginx;
  let page: PageProcess;
  let controller: FakeWatchSocket;
  let address = '';

  beforeAll(async () => {
    page = await startPage({ listen, hosts: ['egress.example'] });
    controller = await serveFakeWatchSocket(page.watchSocket, withKey('first'));
    const [port = 0] = await freePorts(1);
    address = `http://127.0.0.1:${port}`;
    const passwords = join(folder, 'htpasswd');
    writeFileSync(passwords, 'operator:{PLAIN}password\n');
    const [, documented = ''] =
      /```nginx\n([^`]+)```/.exec(readFileSync(inCheckout('docs/installing.md'), 'utf8')) ?? [];
    const location = documented
      .replace('/run/egresstrator-page/page.sock', listen)
      .replace('/etc/nginx/egresstrator.htpasswd', passwords);
    expect(location).toContain(listen);
    expect(location).toContain(passwords);
    nginx = await startNginx(join(folder, 'nginx'), `listen 127.0.0.1:${port};\n${location}`);
    await waitFor(
      () =>
        fetch(address).then(
          () => true,
          () => false,
        ),
      { what: 'nginx' },
    );
  });
  afterAll(async () => {
    await nginx?.stop();
    await page.close();
    await controller.close();
  });

  const authorization = `Basic ${Buffer.from('operator:password').toString('base64')}`;

  test('nginx decides who gets in, and the page by which name', async () => {
    expect((await fetch(`${address}/api/status`)).status).toBe(401);
    expect((await fetch(`${address}/api/status`, { headers: { authorization } })).status).toBe(404);
    const page = await fetch(address, { headers: { authorization, accept: 'text/html' } });
    expect(await page.text()).toContain('<title>');
  });

  test('each event passes at once', async () => {
    const response = await fetch(`${address}/live`, { headers: { authorization } });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    const until = async (words: string) => {
      while (!seen.includes(words)) seen += (await reader?.read())?.value ?? '';
    };
    await until('first');
    controller.set(withKey('second'));
    await until('second');
    expect(seen.match(/^event: \w+$/gm)).toEqual(['event: link', 'event: snapshot', 'event: changes']);
    await reader?.cancel();
  });
});
