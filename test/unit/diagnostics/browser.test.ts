/** The answers to questions are made in a browser as well: nothing of Node.js is in them. */
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

test('src/diagnostics runs where there is nothing but JavaScript', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `export * from './src/diagnostics/diagnostics.ts'; export { parseAcl } from './src/policy/acl.ts';`,
      resolveDir: process.cwd(),
    },
    ...{ bundle: true, write: false, platform: 'browser', format: 'iife', globalName: 'answers' },
    ...{ target: 'es2024', logLevel: 'silent' },
  });
  const [bundle] = outputFiles;
  const context = createContext({ TextEncoder });
  runInContext(bundle?.text ?? '', context);
  const explained: unknown = await runInContext(
    `answers.createDiagnostics({
      denied: async () => [],
      snapshot: async () => ({
        acl: answers.parseAcl(new Map([['db', '10.0.0.0/8:tcp/5432']])),
        catalog: new Map(), unread: new Map(), protectedHosts: [], unsupported: [], notEnabled: [],
        namespaces: [{ id: 'aa@0', workloads: ['web'], ids: ['aa'], target: 'web', grants: ['db'], mode: 'enforce', dns: 'none' }],
        template: 'nftables', kvPath: 'egress/acl/', denylist: false, recordsDenied: true,
      }),
    }).explain({ container: 'web', target: '10.0.0.5', traffic: 'tcp/5432' }).then(JSON.stringify)`,
    context,
  );
  expect(explained).toContain('"allowed":true');
});
