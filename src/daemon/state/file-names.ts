/**
 * All files of the state folder: uninstall removes these and no others.
 */
export const STATE_FILES = {
  known: 'known.json',
  loads: 'loads.json',
  ingressLoads: 'loads-ingress.json',
  denied: 'denied.json',
  deniedIngress: 'denied-ingress.json',
  overrides: 'overrides.json',
  ports: 'ports.json',
  registrations: 'registrations.json',
  networks: 'networks.json',
  names: 'names.json',
  inner: 'networks-inner.json',
  connections: 'connections.json',
  holder: 'controller.json',
  hostRules: 'host.nft',
  hostBootRules: 'host.boot.nft',
  hostBegun: 'host.begun',
  hostLeft: 'host.left',
} as const;
