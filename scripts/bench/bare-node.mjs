// The smallest program that waits as the controller does, as the floor of its cost at rest: a blocking query of
// Consul and the Engine's events, by Node.js alone. Arguments: Consul's address, the Engine's socket.
import { get } from 'node:http';

const [consul, socketPath] = process.argv.slice(2);

function ask(index) {
  get(`${consul}/v1/kv/egress/acl/?recurse&wait=10m&index=${index}`, (response) => {
    response.resume().on('end', () => ask(response.headers['x-consul-index']));
  });
}

ask(0);
get({ socketPath, path: '/events' }, (response) => response.resume());
