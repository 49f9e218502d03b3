/** The text that `npm start` prints before the controller runs: what it found or started, and commands to try. */
import { parseArgs } from 'node:util';

export interface Started {
  /** The command to type for `docker`. */
  readonly docker: string;
  /** An image with busybox. */
  readonly workload: string;
  /** As in CONSUL_HTTP_ADDR. */
  readonly consulAddress: string;
  /** Consul was started for this run. */
  readonly isOwnConsul: boolean;
  readonly exampleKey: string;
  /** The rule of the example: `10.0.0.0/16:tcp/8080`. */
  readonly rule: string;
  /** The command to type for `egresstrator`. */
  readonly command: string;
  /** The page's address; undefined: it does not run. */
  readonly page: string | undefined;
  /** Folders of programs that documents and the page name, which are not on PATH. */
  readonly programs: readonly string[];
}

export function banner({
  docker,
  workload,
  rule,
  exampleKey,
  command,
  page,
  programs,
  ...consul
}: Started): string {
  const { consulAddress, isOwnConsul } = consul;
  const address = consulAddress.startsWith('http') ? consulAddress : `http://${consulAddress}`;
  const example = isOwnConsul ? `"${exampleKey}" allows ${rule}` : 'put a key of yours there';
  const memory = isOwnConsul ? MEMORY : '';
  const ask = '-e EGRESSTRATOR_ENABLE=1 -e EGRESSTRATOR_ACL=example';
  const probe = 'for p in 8080 8081; do nc -w3 web $p </dev/null && echo $p reached; done';
  return `
Consul at ${address}: ${example}.
${memory}In another terminal, try:

${programs.length === 0 ? '' : `  export PATH=${programs.map(quoted).join(':')}:$PATH\n`}  ${docker} run -d --name web ${workload} sh -c 'httpd -p 8080; httpd -f -p 8081'
  ${docker} run -d --name app --link web ${ask} ${workload} sleep 1d
  ${docker} exec app sh -c '${probe}'
  curl -X PUT -d '${rule.replace('8080', '8081')}' ${address}/v1/kv/${exampleKey}; echo "  and exec again"

See what is in force:

  ${command} status
${page === undefined ? '' : pageText(page)}
`;
}

const pageText = (page: string): string => `
Or watch it in a browser on this host, by an address that works once:

  ${page}
`;

const MEMORY = `This Consul is a dev agent that was started for this run: it keeps keys in memory, and forgets them when this ends.
`;

/** The program by its path, which works in every folder, and the socket if it is not the default. */
export function commandFor(program: string, args: readonly string[], environment: NodeJS.ProcessEnv): string {
  const options = { socket: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true });
  const socket = typeof values.socket === 'string' ? values.socket : environment.EGRESSTRATOR_SOCKET;
  return [program, ...(socket ? ['--socket', socket] : [])].map(quoted).join(' ');
}

const quoted = (word: string): string =>
  /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
