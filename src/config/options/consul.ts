/**
 * Options of Consul, where the rules come from.
 */
import type { OptionSpec } from './option-spec.ts';

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
