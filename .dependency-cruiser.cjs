/**
 * Imports point inward only: domain ← rendering ← controller ← adapters ← cli, and third-party types
 * stay inside their adapter.
 */
const only = (name, comment, path, allowed) => ({
  name,
  severity: 'error',
  comment,
  from: { path },
  to: { path: '^(src|lab|test)/', pathNot: allowed },
});

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
    only('domain-is-pure', 'the domain imports nothing but itself', '^src/domain/', '^src/domain/'),
    only('rendering-inward', 'rendering knows the domain', '^src/rendering/', '^src/(domain|rendering)/'),
    only(
      'controller-inward',
      'the controller knows the domain and rendering, and the world through its ports',
      '^src/controller/',
      '^src/(domain|rendering|controller)/',
    ),
    only(
      'adapters-inward',
      'adapters know the ports they implement',
      '^src/adapters/',
      '^src/(domain|rendering|controller|adapters)/',
    ),
    only('config-inward', 'configuration knows the domain', '^src/config/', '^src/(domain|config)/'),
    only('cli-in-src', 'the program does not know its tests or its lab', '^src/', '^src/'),
    {
      name: 'domain-no-io',
      severity: 'error',
      comment: 'the domain touches nothing outside',
      from: { path: '^src/domain/' },
      to: { dependencyTypes: ['core'] },
    },
    oneImporter('one-importer-of-p-queue', 'p-queue', '^src/controller/job-queue'),
    oneImporter('one-importer-of-execa', 'execa', '^src/adapters/process/'),
    oneImporter('one-importer-of-consul', 'consul', '^src/adapters/consul/'),
    oneImporter('one-importer-of-dockerode', 'dockerode', '^src/adapters/docker/'),
    oneImporter('one-importer-of-handlebars', 'handlebars', '^src/rendering/'),
    oneImporter('one-importer-of-fastify', 'fastify', '^src/adapters/api/'),
    oneImporter('one-importer-of-prom-client', 'prom-client', '^src/adapters/metrics/'),
    oneImporter('one-importer-of-pino', 'pino(-pretty)?', '^src/adapters/log/'),
    oneImporter('one-importer-of-ipaddr', 'ipaddr\\.js', '^src/domain/address'),
    oneImporter('one-importer-of-commander', 'commander', '^src/cli/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
