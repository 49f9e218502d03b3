/**
 * Tests templates before they are used, and reads the user's own template again when its file changes or on SIGHUP. A
 * template that does not compile or load changes nothing: the last good template stays in use.
 */
import { unwatchFile, watchFile } from 'node:fs';
import { messageOf, TemplateError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import type { RenderInput } from '../features/egress/context.ts';
import { withFacts } from '../features/egress/facts.ts';
import { isIncluded, loadTemplate } from '../features/egress/included-templates.ts';
import { render } from '../features/egress/render.ts';
import { EGRESS } from '../features/egress/rules.ts';
import type { EgressTemplate } from '../features/egress/template.ts';
import type { PortClass } from '../policy/port-classes.ts';

const POLL = 1000;

export class TemplateWatch {
  readonly #name: string;
  readonly #dataplane: Pick<Dataplane, 'testLoad'>;
  readonly #log: Logger;
  #reload: (() => void) | undefined;

  constructor(name: string, dataplane: Pick<Dataplane, 'testLoad'>, log: Logger) {
    this.#name = name;
    this.#dataplane = dataplane;
    this.#log = log;
  }

  /** Loads sample rules in a temporary namespace. Throws a `TemplateError`. */
  async testLoad(template: EgressTemplate): Promise<void> {
    for (const { allowed, dns } of samplesFor(template)) {
      const input: RenderInput = {
        ...{ allowed, ungranted: allowed, classes: CLASSES, dns, resolvers: [] },
        mode: 'enforce',
      };
      const { text, fingerprint } = render(template, input);
      const complete = withFacts(text, { resolvers: [], attachments: [], names: NAME_FACTS });
      try {
        await this.#dataplane.testLoad({ owner: EGRESS, text: complete, fingerprint });
      } catch (error) {
        const reason = messageOf(error);
        throw new TemplateError(`template ${this.#name} renders, but does not load: ${reason}`, {
          cause: error,
        });
      }
    }
  }

  start(use: (template: EgressTemplate) => void): void {
    this.#reload = () => {
      this.#tryReload(use).catch((error: unknown) => {
        const fields = { template: this.#name, error: messageOf(error) };
        this.#log.error(fields, 'template cannot be used; keeping the last good template');
      });
    };
    process.on('SIGHUP', this.#reload);
    if (!isIncluded(this.#name)) watchFile(this.#name, { interval: POLL }, this.#reload);
  }

  close(): void {
    if (this.#reload === undefined) return;
    process.off('SIGHUP', this.#reload);
    unwatchFile(this.#name, this.#reload);
  }

  async #tryReload(use: (template: EgressTemplate) => void): Promise<void> {
    const template = loadTemplate(this.#name);
    await this.testLoad(template);
    use(template);
    this.#log.info({ template: this.#name }, 'template loaded');
  }
}

const samplesFor = (template: EgressTemplate) => [
  ...SAMPLES.map((allowed) => ({ allowed, dns: 'resolvers' }) as const),
  ...(template.mentions.has('names.active') ? SAMPLES : []).map(
    (allowed) => ({ allowed, dns: 'names' }) as const,
  ),
];

const NAME_FACTS = { secret: '0'.repeat(32), port: 5353 };

const CLASSES: readonly PortClass[] = [
  { number: 1, protocol: 'tcp', ranges: [{ first: 443, last: 443 }] },
  {
    ...{ number: 2, protocol: 'udp' },
    ranges: [
      { first: 1, last: 2 },
      { first: 5, last: 5 },
    ],
  },
];

/** An empty rule set, and one with every kind of element. */
const SAMPLES = [
  { layers: [] },
  {
    layers: [
      [
        {
          prefix: { family: 4, address: 0xc0000200n, length: 24 },
          protocol: 'tcp',
          range: { first: 80, last: 81 },
        },
        {
          prefix: { family: 4, address: 0xc0000201n, length: 32 },
          protocol: 'udp',
          range: { first: 53, last: 53 },
        },
        {
          prefix: { family: 4, address: 0xc0000200n, length: 24 },
          protocol: 'icmp',
          range: { first: 8, last: 8 },
        },
        {
          prefix: { family: 6, address: 0x20010db8n << 96n, length: 32 },
          protocol: 'tcp',
          range: { first: 443, last: 443 },
        },
        {
          prefix: { family: 6, address: 0x20010db8n << 96n, length: 32 },
          protocol: 'icmp',
          range: { first: 128, last: 128 },
        },
      ],
    ],
  },
] as const;
