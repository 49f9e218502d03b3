/**
 * The direction of imports: each folder of src may import itself and those that stand below it, and third-party
 * packages stay in the folder that wraps them.
 */

/** Each folder, with the folders that it may import. From the bottom to the top. */
const BELOW = {
  common: [],
  net: ['common'],
  dns: ['common'],
  inventory: ['net', 'common'],
  policy: ['inventory', 'dns', 'net', 'common'],
  rendering: ['common'],
  features: ['rendering', 'policy', 'inventory', 'dns', 'net', 'common'],
  diagnostics: ['features', 'rendering', 'policy', 'inventory', 'dns', 'net', 'common'],
  live: ['diagnostics', 'features', 'rendering', 'policy', 'inventory', 'dns', 'net', 'common'],
  format: ['live', 'diagnostics', 'features', 'rendering', 'policy', 'inventory', 'dns', 'net', 'common'],
  http: ['common'],
  reconciler: ['inventory', 'net', 'common'],
  sources: ['policy', 'inventory', 'net', 'common'],
  // The helper is a container, so the dataplane asks the Engine as well.
  dataplane: ['sources', 'inventory', 'net', 'common'],
  // It finds namespaces as the dataplane does.
  'name-proxy': ['dataplane', 'features', 'policy', 'dns', 'net', 'common'],
  config: ['inventory', 'net', 'common'],
  gate: ['dataplane', 'sources', 'features', 'rendering', 'policy', 'inventory', 'dns', 'net', 'common'],
};
// It has no way to the Engine, to Consul, to the kernel or to the host's files but those of its own.
BELOW['page-server'] = ['live', 'http', 'config', 'common'];
BELOW.daemon = ['config', ...Object.keys(BELOW)];
BELOW.cli = ['daemon', ...Object.keys(BELOW)];

const inward = Object.entries(BELOW).map(([folder, below]) => ({
  name: `${folder}-imports-down`,
  severity: 'error',
  comment: `src/${folder} imports ${below.join(', ') || 'nothing else'}`,
  from: { path: `^src/${folder}/` },
  to: { path: '^(src|lab|test|scripts)/', pathNot: `^src/(${[folder, ...below].join('|')})/` },
}));

const PURE = '^src/(net|dns|policy|diagnostics|features|reconciler|live|format)/';

/** What the page may import. */
const IN_A_BROWSER = ['format', ...BELOW.format];

const oneImporter = (name, packageName, importer) => ({
  name,
  severity: 'error',
  comment: `${packageName} is imported in ${importer} alone`,
  from: { path: '^src/', pathNot: importer },
  to: { path: `(^|/)node_modules/${packageName}/` },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', comment: 'no cycles', from: {}, to: { circular: true } },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'every import leads somewhere',
      from: {},
      to: { couldNotResolve: true },
    },
    ...inward,
    {
      name: 'features-apart',
      severity: 'error',
      comment: 'features do not import each other',
      from: { path: '^src/features/([^/]+)/' },
      to: { path: '^src/features/', pathNot: '^src/features/($1/|feature\\.ts$)' },
    },
    {
      name: 'pure-without-node',
      severity: 'error',
      comment: 'what decides touches nothing outside, and runs in a browser',
      from: { path: PURE },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'page-imports-down',
      severity: 'error',
      comment: `page imports src/${IN_A_BROWSER.join(', ')} and nothing else of ours`,
      from: { path: '^page/' },
      to: { path: '^(src|lab|test|scripts)/', pathNot: `^src/(${IN_A_BROWSER.join('|')})/` },
    },
    {
      name: 'page-has-no-rights',
      severity: 'error',
      comment: 'nothing that the page or its process imports leads to the Engine, to Consul or to a kernel',
      from: { path: '^(page|src/page-server)/' },
      to: {
        path: '^src/(sources|dataplane|name-proxy|gate|daemon|cli)/|node_modules/(consul|dockerode|execa)/',
        reachable: true,
      },
    },
    oneImporter('one-importer-of-execa', 'execa', '^src/dataplane/run-program'),
    oneImporter('one-importer-of-consul', 'consul', '^src/sources/consul/'),
    oneImporter('one-importer-of-dockerode', 'dockerode', '^src/sources/docker/'),
    oneImporter('one-importer-of-handlebars', 'handlebars', '^src/rendering/'),
    oneImporter('one-importer-of-fastify', 'fastify', '^src/(daemon/(api|watch)|page-server)/'),
    oneImporter('one-importer-of-prom-client', 'prom-client', '^src/daemon/metrics/'),
    oneImporter('one-importer-of-pino', 'pino(-pretty)?', '^src/daemon/log'),
    oneImporter('one-importer-of-ipaddr', 'ipaddr\\.js', '^src/net/address'),
    oneImporter('one-importer-of-tldts', 'tldts', '^src/policy/public-suffix'),
    oneImporter('one-importer-of-jsonc-parser', 'jsonc-parser', '^src/(gate|features/networks)/json-text'),
    oneImporter('one-importer-of-commander', 'commander', '^src/cli/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
