/**
 * Options of the controller itself.
 */
import type { OptionSpec } from './option-spec.ts';

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
  watchSocket: {
    flags: '--watch-socket <path>',
    variable: 'EGRESSTRATOR_WATCH_SOCKET',
    fallback: 'none',
    help: 'also answer questions, and nothing else, at this unix socket, for the page (such as /run/egresstrator-watch/watch.sock, in a folder of its own); "none" for no such socket',
  },
  watchGroup: {
    flags: '--watch-group <name|number>',
    variable: 'EGRESSTRATOR_WATCH_GROUP',
    fallback: 'egresstrator',
    help: 'group that may use the socket of --watch-socket',
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
