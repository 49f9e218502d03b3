/**
 * `npm start`: an Engine, the helper image and Consul, then the controller in the foreground.
 */
import { spawn } from 'node:child_process';
import { execa } from 'execa';
import { messageOf } from '../src/domain/errors.ts';
import { type Setup, setUp } from './setup.ts';

const RUN_DIR = '/run/egresstrator';
const EXAMPLE_KEY = 'egress/acl/example';

async function main(): Promise<number> {
  const setup = await setUp();
  try {
    const rule = `${await bridgeSubnet(setup)}:tcp/8080`;
    if (setup.ownConsul !== undefined) await setup.ownConsul.call('PUT', `/v1/kv/${EXAMPLE_KEY}`, rule);
    process.stderr.write(hints(setup, rule));
    return await runController(setup);
  } finally {
    await setup.ownConsul?.stop();
    if (setup.engine.isOwn) {
      process.stderr.write('The Engine that was started goes on; "node lab/cli.ts down" stops it.\n');
    }
  }
}

async function bridgeSubnet({ engine }: Setup): Promise<string> {
  const format = '{{(index .IPAM.Config 0).Subnet}}';
  const inspect = ['network', 'inspect', 'bridge', '--format', format];
  const { stdout } = await execa('docker', ['-H', `unix://${engine.socketPath}`, ...inspect]);
  return stdout.trim();
}

function hints({ engine, workload, consulAddress, ownConsul }: Setup, rule: string): string {
  const docker = engine.isOwn ? `docker -H unix://${engine.socketPath}` : 'docker';
  const example = ownConsul === undefined ? 'put a key of yours there' : `"${EXAMPLE_KEY}" allows ${rule}`;
  const address = consulAddress.startsWith('http') ? consulAddress : `http://${consulAddress}`;
  const ask = '-e EGRESSTRATOR_ENABLE=1 -e EGRESSTRATOR_ACL=example';
  const probe = 'sleep 1; for p in 8080 8081; do nc -w3 web $p </dev/null && echo $p reached; done';
  return `
Consul at ${address}: ${example}. In another terminal, try:

  ${docker} run -d --name web ${workload} sh -c 'httpd -p 8080; httpd -f -p 8081'
  ${docker} run --rm --link web ${ask} ${workload} sh -c '${probe}'
  curl -X PUT -d '${rule.replace('8080', '8081')}' ${address}/v1/kv/${EXAMPLE_KEY}; echo "  and the second line again"

`;
}

/** Runs until the controller ends; signals go to it. */
async function runController({ environment }: Setup): Promise<number> {
  const state = process.env.EGRESSTRATOR_STATE_DIR ?? `${RUN_DIR}/state`;
  const env = { ...process.env, ...environment, EGRESSTRATOR_STATE_DIR: state };
  const child = spawn(process.execPath, ['src/cli/main.ts', ...process.argv.slice(2)], {
    stdio: 'inherit',
    env,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`egresstrator: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
