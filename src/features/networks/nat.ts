/**
 * The ports of one container that lead elsewhere, as the text that is loaded in its namespace.
 */
import { assetPath } from '../../common/assets.ts';
import { formatPrefix } from '../../net/address.ts';
import { complete, fingerprinted, type Rendered } from '../../rendering/fingerprint.ts';
import type { ShapeOf } from '../../rendering/shape.ts';
import { compileTemplate, readSource, type Template } from '../../rendering/template.ts';
import type { ContainerForward } from './model.ts';

interface FamilyContext {
  readonly number: string;
  readonly ip: string;
  readonly type: string;
  /** `tcp . 8080 : 172.18.0.2 . 80` */
  readonly forwards: readonly string[];
  /** `"wg0" . tcp . 8080 : 172.18.0.2 . 80` */
  readonly forwardsOn: readonly string[];
  /** `172.18.0.2 . tcp . 80` */
  readonly targets: readonly string[];
}

interface NatContext {
  readonly comment: string;
  readonly families: readonly FamilyContext[];
}

const TEXTS = { list: 'text' } as const;

const SHAPE: ShapeOf<NatContext> = {
  fields: {
    comment: 'text',
    families: {
      list: {
        fields: {
          ...{ number: 'text', ip: 'text', type: 'text' },
          ...{ forwards: TEXTS, forwardsOn: TEXTS, targets: TEXTS },
        },
      },
    },
  },
};

export type NatTemplate = Template<NatContext>;

/** The included one. Throws a `TemplateError`. */
export const loadNatTemplate = (): NatTemplate =>
  compileTemplate('nat', readSource(assetPath('templates/nat.hbs')), SHAPE);

/** Equal forwards have equal texts, in whatever order they come. */
export function renderNat(template: NatTemplate, forwards: readonly ContainerForward[]): Rendered {
  const families = ([4, 6] as const).map((family) => familyContext(forwards, family));
  const { text, fingerprint } = fingerprinted(template.name, (one) =>
    template.expand({ families, comment: `egresstrator v1 ${one}` }),
  );
  return { text: complete(text), fingerprint };
}

function familyContext(all: readonly ContainerForward[], family: 4 | 6): FamilyContext {
  const forwards = all.filter(({ to }) => to.family === family);
  return {
    ...(family === 4
      ? { number: '4', ip: 'ip', type: 'ipv4_addr' }
      : { number: '6', ip: 'ip6', type: 'ipv6_addr' }),
    forwards: sorted(forwards.filter(({ device }) => device === undefined).map(element)),
    forwardsOn: sorted(
      forwards.flatMap((one) => (one.device === undefined ? [] : `"${one.device}" . ${element(one)}`)),
    ),
    targets: sorted(forwards.map((one) => `${formatPrefix(one.to)} . ${one.protocol} . ${one.toPort}`)),
  };
}

const element = ({ protocol, port, to, toPort }: ContainerForward): string =>
  `${protocol} . ${port} : ${formatPrefix(to)} . ${toPort}`;

const sorted = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();
