/**
 * Options of the host's own rules: all off by default.
 */
import type { OptionSpec } from './option-spec.ts';

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
