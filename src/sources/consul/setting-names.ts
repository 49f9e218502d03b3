/**
 * The names of settings for messages: flag and environment variable.
 */
export const named = {
  address: '--consul (CONSUL_HTTP_ADDR)',
  token: '--consul-token (CONSUL_HTTP_TOKEN)',
  tokenFile: '--consul-token-file (CONSUL_HTTP_TOKEN_FILE)',
  kvPath: '--kv-path (CONSUL_PATH)',
  ingressPath: '--ingress-path (EGRESSTRATOR_INGRESS_PATH)',
  ssl: '--ssl (CONSUL_HTTP_SSL)',
  ca: '--ssl-ca-cert (CONSUL_CACERT)',
  cert: '--ssl-cert (CONSUL_CLIENT_CERT)',
  key: '--ssl-key (CONSUL_CLIENT_KEY)',
} as const;
