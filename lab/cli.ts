/** `npm run lab -- up|down|status|compose`: starts the lab for use by hand, and ends it. */
import { execa } from 'execa';
import { ensureCompose } from './compose.ts';
import { composeEnvironment } from './compose-images.ts';
import { consulProgram } from './consul/program.ts';
import { labEngines, stopLabEngine } from './engine/all.ts';
import { type EngineVersion, ensureEngine } from './engine.ts';
import { LabError } from './errors.ts';
import { ensureBaseImage, ensureWorkloadImage } from './images.ts';
import { timed } from './log.ts';

const usage =
  'Usage: npm run lab -- up [host] [20.10] [28.5] | down | status | compose <arguments of docker compose>';
const versions: readonly EngineVersion[] = ['host', '20.10', '28.5'];

const commands: Record<string, (args: readonly string[]) => Promise<void>> = {
  ...{ up, down, status, compose },
};

async function up(args: readonly string[]): Promise<void> {
  const wanted = versions.filter((version) => args.includes(version));
  if (wanted.length < args.length) throw new LabError(usage);
  for (const version of wanted.length > 0 ? wanted : (['host'] as const)) {
    const engine = await ensureEngine({ version });
    const images = [await ensureWorkloadImage(engine.socketPath), await ensureBaseImage(engine.socketPath)];
    print(`Docker Engine ${engine.version} at unix://${engine.socketPath} with ${images.join(', ')}`);
  }
  const consul = await consulProgram();
  print(`Consul ${consul.version.join('.')} at ${consul.path}`);
}

async function down(): Promise<void> {
  for (const { name, pid } of await labEngines()) {
    // An engine that has ended by itself still has addresses and interfaces.
    if (pid === undefined) await stopLabEngine(name);
    else await timed(`stopped engine ${name}`, () => stopLabEngine(name));
  }
}

async function status(): Promise<void> {
  const engines = await labEngines();
  for (const { name, version, pid, socketPath } of engines) {
    const state =
      pid === undefined ? 'stopped' : `${version ?? 'not answering'}, pid ${pid}, unix://${socketPath}`;
    print(`engine ${name}: ${state}`);
  }
  if (engines.length === 0) print('The lab has no engine yet.');
}

/** Runs docker-compose.yml, or another file that `args` name, with the lab's images instead of public ones. */
async function compose(args: readonly string[]): Promise<void> {
  const { socketPath } = await ensureEngine({ version: 'host' });
  const { env } = await ensureCompose();
  const images = await composeEnvironment(socketPath);
  // On Ctrl-C, docker itself stops the containers that it has started.
  process.on('SIGINT', () => {});
  const { exitCode } = await execa('docker', ['compose', ...args], {
    ...{ stdio: 'inherit', reject: false },
    env: { ...env, ...images, DOCKER_HOST: `unix://${socketPath}`, DOCKER_BUILDKIT: '0' },
  });
  process.exitCode = exitCode ?? 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main([name = '', ...args]: readonly string[]): Promise<void> {
  const command = commands[name];
  if (command === undefined) throw new LabError(usage);
  await command(args);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
