/**
 * Every option of egresstrator: its flag, its environment variable, its default, and what it is for.
 *
 * A flag overrides a variable, and a variable overrides the default. The variables that begin with CONSUL_ and DOCKER_
 * have the same meaning as for Consul's and Docker's own tools.
 */

export interface OptionSpec {
  /** As commander writes it, `-c, --consul <address>`. */
  readonly flags: string;
  readonly variable?: string;
  readonly fallback?: string;
  readonly help: string;
}

/** Where the rules come from. */
export const CONSUL_OPTIONS = {
  consul: {
    flags: '-c, --consul <address>',
    variable: 'CONSUL_HTTP_ADDR',
    fallback: '127.0.0.1:8500',
    help: 'Consul address: host:port, URL or unix:///path',
  },
  consulToken: {
    flags: '-t, --consul-token <token>',
    variable: 'CONSUL_HTTP_TOKEN',
    help: 'Consul token; other users of the host can read it in the process list, so prefer the variable or a file',
  },
  consulTokenFile: {
    flags: '--consul-token-file <path>',
    variable: 'CONSUL_HTTP_TOKEN_FILE',
    help: 'file that holds the Consul token',
  },
  kvPath: {
    flags: '-k, --kv-path <path>',
    variable: 'CONSUL_PATH',
    fallback: 'egress/acl/',
    help: 'Consul K/V path of the ACL keys',
  },
  ingressPath: {
    flags: '--ingress-path <path>',
    variable: 'EGRESSTRATOR_INGRESS_PATH',
    fallback: 'ingress/acl/',
    help: 'Consul K/V path of the ingress keys, which say who may reach a container',
  },
  ssl: { flags: '--ssl', variable: 'CONSUL_HTTP_SSL', help: 'use TLS with Consul' },
  sslCaCert: {
    flags: '--ssl-ca-cert <path>',
    variable: 'CONSUL_CACERT',
    help: "CA certificate that Consul's certificate is checked against",
  },
  sslCert: {
    flags: '--ssl-cert <path>',
    variable: 'CONSUL_CLIENT_CERT',
    help: 'client certificate for Consul',
  },
  sslKey: {
    flags: '--ssl-key <path>',
    variable: 'CONSUL_CLIENT_KEY',
    help: 'key of the client certificate',
  },
  serviceHealth: {
    flags: '--service-health <any|passing>',
    variable: 'EGRESSTRATOR_SERVICE_HEALTH',
    fallback: 'any',
    help: 'which instances of a service count',
  },
  consulConnections: {
    flags: '--consul-connections <n>',
    variable: 'EGRESSTRATOR_CONSUL_CONNECTIONS',
    fallback: '80',
    help: 'blocking queries for services; with more services the catalog is watched instead, see docs/scaling.md',
  },
  consulWait: {
    flags: '--consul-wait <seconds>',
    variable: 'EGRESSTRATOR_CONSUL_WAIT',
    help: 'how long a query to Consul waits for a change; default 15 for rules, 45 for services',
  },
} as const satisfies Record<string, OptionSpec>;

/** How rules are rendered. */
export const RULE_OPTIONS = {
  template: {
    flags: '-f, --template <name|path>',
    variable: 'CONSUL_TEMPLATE',
    fallback: 'nftables',
    help: 'nftables, iptables, denylist, lockdown, or the path of your own template',
  },
  protect: {
    flags: '--protect <addresses>',
    variable: 'EGRESSTRATOR_PROTECT',
    fallback: '169.254.169.254,fd00:ec2::254',
    help: 'addresses that a broad prefix does not grant, separated by commas; "none" for no protection',
  },
  mode: {
    flags: '--mode <enforce|audit>',
    variable: 'EGRESSTRATOR_DEFAULT_MODE',
    fallback: 'enforce',
    help: 'mode of workloads without EGRESSTRATOR_MODE',
  },
} as const satisfies Record<string, OptionSpec>;

/** How rules are loaded. */
export const ENGINE_OPTIONS = {
  dockerHost: {
    flags: '-H, --docker-host <address>',
    variable: 'DOCKER_HOST',
    fallback: 'unix:///var/run/docker.sock',
    help: 'Docker Engine address',
  },
  image: {
    flags: '-i, --image <name>',
    variable: 'EGRESSTRATOR_IMAGE',
    help: "helper image (default: the controller's own image, else egresstrator-helper:<version>)",
  },
  loader: {
    flags: '--loader <helper|nsenter|auto>',
    variable: 'EGRESSTRATOR_LOADER',
    fallback: 'auto',
    help: 'load rules by a helper container, by nsenter, or by nsenter where possible',
  },
} as const satisfies Record<string, OptionSpec>;

/** The host's own rules: all off by default. */
export const HOST_OPTIONS = {
  ports: {
    flags: '--ports <off|observe|enforce>',
    variable: 'EGRESSTRATOR_PORTS',
    fallback: 'off',
    help: "close container ports of this host's bridges, but for those of services; observe only records; also netfilter://chain/set as of registrator-netfilter",
  },
  portsFamily: {
    flags: '--ports-family <6|4|both>',
    variable: 'EGRESSTRATOR_PORTS_FAMILY',
    fallback: '6',
    help: 'calls by IPv6, by IPv4 or by both are guarded',
  },
  portsBridges: {
    flags: '--ports-bridges <devices>',
    variable: 'EGRESSTRATOR_PORTS_BRIDGES',
    fallback: 'all',
    help: "guarded bridges, as docker0,br-web; all: every bridge of the Engine's networks",
  },
  portsBetween: {
    flags: '--ports-between <allow|guard>',
    variable: 'EGRESSTRATOR_PORTS_BETWEEN',
    fallback: 'allow',
    help: 'whether containers on other bridges call freely, or need a registered service too',
  },
  portsServices: {
    flags: '--ports-services <consul|engine>',
    variable: 'EGRESSTRATOR_PORTS_SERVICES',
    fallback: 'consul',
    help: "where services are read from: Consul's catalog, or published ports of containers by registrator's conventions (SERVICE_NAME, SERVICE_IGNORE)",
  },
  portsInternal: {
    flags: '--ports-internal',
    variable: 'EGRESSTRATOR_PORTS_INTERNAL',
    help: 'with --ports-services engine: ports that are only exposed count too',
  },
  portsExplicit: {
    flags: '--ports-explicit',
    variable: 'EGRESSTRATOR_PORTS_EXPLICIT',
    help: 'with --ports-services engine: only ports with a SERVICE_NAME count',
  },
  forwards: {
    flags: '--forwards <auto|on|off>',
    variable: 'EGRESSTRATOR_FORWARDS',
    fallback: 'off',
    help: 'forward published ports to containers; auto: where the Engine makes no firewall rules itself (dockerd --iptables=false)',
  },
  networks: {
    flags: '--networks <path>',
    variable: 'NETWORKS_CONFIG_PATH',
    help: 'networks.json: networks, static addresses and policies of containers',
  },
  hostTemplate: {
    flags: '--host-template <path>',
    variable: 'EGRESSTRATOR_HOST_TEMPLATE',
    help: "your own template of the host's rules (default: the included one)",
  },
} as const satisfies Record<string, OptionSpec>;

/** How the controller runs. */
export const CONTROLLER_OPTIONS = {
  stateDir: {
    flags: '--state-dir <path>',
    variable: 'EGRESSTRATOR_STATE_DIR',
    fallback: '/var/lib/egresstrator',
    help: 'folder for the last known rules; "none" to keep nothing',
  },
  maxAge: {
    flags: '--max-age <duration>',
    variable: 'EGRESSTRATOR_MAX_AGE',
    fallback: 'none',
    help: 'how long rules and services count without confirmation by Consul, such as 90s, 15m, 12h or 2d; "none" for no limit',
  },
  maxAgeAction: {
    flags: '--max-age-action <lock|drop-services>',
    variable: 'EGRESSTRATOR_MAX_AGE_ACTION',
    fallback: 'lock',
    help: 'what happens then: lock isolates workloads and drops services that are too old; drop-services does only the latter',
  },
  runDir: {
    flags: '--run-dir <path>',
    variable: 'EGRESSTRATOR_RUN_DIR',
    fallback: '/run/egresstrator',
    help: 'folder for rules that are prepared for the gate; "none" to prepare nothing',
  },
  prepare: {
    flags: '--prepare <keys>',
    variable: 'EGRESSTRATOR_PREPARE',
    help: 'ACL keys to prepare for the gate before a container uses them, as key1,key2; separate several lists by semicolons',
  },
  prepareIngress: {
    flags: '--prepare-ingress <keys>',
    variable: 'EGRESSTRATOR_PREPARE_INGRESS',
    help: 'the same for ingress keys, which say who may reach a container',
  },
  socket: {
    flags: '--socket <path>',
    variable: 'EGRESSTRATOR_SOCKET',
    fallback: '/run/egresstrator/api.sock',
    help: 'unix socket of the controller, for the other commands',
  },
  concurrency: {
    flags: '--concurrency <n>',
    variable: 'EGRESSTRATOR_CONCURRENCY',
    fallback: '4',
    help: 'loads at once',
  },
  driftInterval: {
    flags: '--drift-interval <seconds>',
    variable: 'EGRESSTRATOR_DRIFT_INTERVAL',
    fallback: '60',
    help: 'seconds between two drift checks',
  },
  deniedInterval: {
    flags: '--denied-interval <seconds>',
    variable: 'EGRESSTRATOR_DENIED_INTERVAL',
    fallback: '60',
    help: 'seconds between two collections of denied connections, for logs and metrics; 0 for none',
  },
  listen: {
    flags: '--listen <[host:]port>',
    variable: 'EGRESSTRATOR_LISTEN',
    help: 'also serve status, health and /metrics there, read-only; the default host is 127.0.0.1',
  },
  allowHost: {
    flags: '--allow-host <names>',
    variable: 'EGRESSTRATOR_ALLOW_HOST',
    help: 'DNS names that --listen accepts, separated by commas, besides IP addresses and localhost',
  },
  node: {
    flags: '--node <name>',
    variable: 'EGRESSTRATOR_NODE',
    help: 'name of this host in Consul (default: its host name)',
  },
  register: {
    flags: '--register <name>',
    variable: 'EGRESSTRATOR_REGISTER',
    fallback: 'egresstrator',
    help: 'register the controller in Consul as this service, with a TTL check; "none" to register nothing',
  },
  publish: {
    flags: '--publish [path]',
    variable: 'EGRESSTRATOR_PUBLISH',
    help: 'write a compact status of this host below this K/V path (egress/status/ if none is given), for status --cluster',
  },
  dryRun: {
    flags: '--dry-run',
    variable: 'EGRESSTRATOR_DRY_RUN',
    help: 'load nothing, log what would be loaded',
  },
  logLevel: {
    flags: '--log-level <level>',
    variable: 'EGRESSTRATOR_LOG_LEVEL',
    fallback: 'info',
    help: 'debug, info, warn or error',
  },
  logFormat: {
    flags: '--log-format <auto|json|text>',
    variable: 'EGRESSTRATOR_LOG_FORMAT',
    fallback: 'auto',
    help: 'auto: text on a terminal, else JSON',
  },
} as const satisfies Record<string, OptionSpec>;

export const ALL_OPTIONS = {
  ...CONSUL_OPTIONS,
  ...RULE_OPTIONS,
  ...ENGINE_OPTIONS,
  ...HOST_OPTIONS,
  ...CONTROLLER_OPTIONS,
};

export type OptionName = keyof typeof ALL_OPTIONS;
