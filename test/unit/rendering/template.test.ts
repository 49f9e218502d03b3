/**
 * What a template may say: everything it gets wrong is told before it is used, by name and line.
 */
import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../../src/common/errors.ts';
import { compileEgressTemplate, needsUngranted } from '../../../src/features/egress/template.ts';

const compile = (source: string) => compileEgressTemplate('own.hbs', `# {{comment}}\n${source}`);

/** The message of the error; `undefined` where there is none. */
const mistakeIn = (source: string): string | undefined => {
  try {
    compile(source);
    return undefined;
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
};

describe('accepted', () => {
  it.each([
    '{{fingerprint}} {{generation}} {{inbound}}',
    '{{{comment}}} {{~comment~}} {{this.comment}} {{./comment}}',
    '{{#if audit}}a{{else}}b{{/if}}{{#unless dns}}c{{/unless}}',
    '{{#if audit}}a{{else if dns}}b{{else}}c{{/if}}',
    '{{#each allowed.ipv4}}{{suffix}} {{@index}} {{#each elements}}{{this}}{{../suffix}}{{../../comment}}{{/each}}{{/each}}',
    '{{#each allowed.xtables}}{{this}}{{#unless @last}},{{/unless}}{{else}}none{{/each}}',
    '{{#each resolvers.ipv6}}{{@root.generation}}{{/each}}',
    '{{#if allowed.ipv4}}some{{/if}}',
    '{{! a comment }}{{!-- another --}} $interfaces \\{{not.a.path}}',
  ])('%s', (source) => {
    expect(mistakeIn(source)).toBeUndefined();
  });
});

describe('refused', () => {
  it.each([
    ['{{fingerprnt}}', 'the context has no "fingerprnt" here'],
    ['{{#if audti}}x{{/if}}', 'the context has no "audti" here'],
    ['{{#unless audti}}x{{/unless}}', 'the context has no "audti" here'],
    ['{{#each alowed.ipv4}}x{{/each}}', 'the context has no "alowed.ipv4" here'],
    ['{{#each allowed.ipv5}}x{{/each}}', 'the context has no "allowed.ipv5" here'],
    ['{{#each allowed.ipv4}}{{comment}}{{/each}}', 'the context has no "comment" here'],
    ['{{#each allowed.ipv4}}{{#if audit}}x{{/if}}{{/each}}', 'the context has no "audit" here'],
    ['{{#each allowed.ipv4}}{{else}}{{suffix}}{{/each}}', 'the context has no "suffix" here'],
    ['{{../comment}}', '"../comment" is outside the context'],
    ['{{#if audit}}{{../comment}}{{/if}}', '"../comment" is outside the context'],
    ['{{allowed.ipv4}}', '"allowed.ipv4" is a list: use #each'],
    ['{{allowed}}', '"allowed" is not a text: use #if, or name one of its fields'],
    ['{{audit}}', '"audit" is not a text: use #if, or name one of its fields'],
    ['{{this}}', '"this" is not a text: use #if, or name one of its fields'],
    ['{{#each comment}}x{{/each}}', '"comment" is not a list'],
    ['{{#each allowed}}x{{/each}}', '"allowed" is not a list'],
    ['{{@index}}', '"@index" works only inside #each'],
    ['{{#each resolvers.ipv4}}{{@key}}{{/each}}', 'the context has no "@key" here'],
    ['{{constructor}}', 'the context has no "constructor" here'],
    ['{{__proto__}}', 'the context has no "__proto__" here'],
    ['{{comment.length}}', 'the context has no "comment.length" here'],
    ['{{#each allowed.ipv4.constructor}}x{{/each}}', 'the context has no "allowed.ipv4.constructor" here'],
    ['{{allowed.[ipv4].length}}', 'the context has no "allowed.ipv4.length" here'],
    ['{{lookup allowed "ipv4"}}', 'there is no helper "lookup"; only #each, #if and #unless are available'],
    ['{{log comment}}', 'there is no helper "log"; only #each, #if and #unless are available'],
    ['{{comment x=1}}', 'there is no helper "comment"; only #each, #if and #unless are available'],
    ['{{#with allowed}}x{{/with}}', 'there is no block "#with"; only #each, #if and #unless are available'],
    ['{{#allowed}}x{{/allowed}}', 'there is no block "#allowed"; only #each, #if and #unless are available'],
    ['{{^audit}}x{{/audit}}', 'there is no block "#audit"; only #each, #if and #unless are available'],
    ['{{> other}}', 'there are no partials and decorators; only #each, #if and #unless are available'],
    [
      '{{#> other}}x{{/other}}',
      'there are no partials and decorators; only #each, #if and #unless are available',
    ],
    [
      '{{#*inline "x"}}x{{/inline}}',
      'there are no partials and decorators; only #each, #if and #unless are available',
    ],
    ['{{* decorator}}', 'there are no partials and decorators; only #each, #if and #unless are available'],
    ['{{#if audit dns}}x{{/if}}', '#if takes exactly one field of the context, and no "as |name|"'],
    ['{{#if}}x{{/if}}', '#if takes exactly one field of the context, and no "as |name|"'],
    [
      '{{#each allowed.ipv4 as |set|}}x{{/each}}',
      '#each takes exactly one field of the context, and no "as |name|"',
    ],
    [
      '{{#if (lookup allowed "ipv4")}}x{{/if}}',
      'expected a field of the context, got a literal or an expression',
    ],
    ['{{#if true}}x{{/if}}', 'expected a field of the context, got a literal or an expression'],
    ['{{"comment"}}', 'expected a field of the context, got a literal or an expression'],
    ['{{#if audit}}x', undefined],
    ['{{#if audit}}x{{/each}}', undefined],
    ['{{#if audit}x{{/if}}', undefined],
    ['}}{{', undefined],
  ])('%s', (source, reason) => {
    expect(mistakeIn(source)).toMatch(/^template own\.hbs, line \d+: ./);
    if (reason !== undefined) expect(mistakeIn(source)).toBe(`template own.hbs, line 2: ${reason}`);
  });

  it('in one line, even where Handlebars says it in four', () => {
    expect(mistakeIn('fine\n{{#if audit}x{{/if}}')).toBe(
      'template own.hbs, line 3: Handlebars cannot read "{{#if audit}x{{/if}}"',
    );
    expect(mistakeIn('{{#if audit}}x{{/each}}')).toBe("template own.hbs, line 2: if doesn't match each");
  });

  it.each(['table inet egresstrator {}', '  delete table netdev egresstrator'])(
    'where it names a table as earlier versions did: %s',
    (line) => {
      expect(mistakeIn(`${line}{{#if audit}}x{{/if}}`)).toBe(
        'template own.hbs, line 2: the table is named egresstrator, as in earlier versions; name it egresstrator_egress',
      );
    },
  );

  it('where it never writes what it will be recognised by', () => {
    expect(() => compileEgressTemplate('own.hbs', 'table inet egresstrator_egress {}')).toThrow(
      /^template own\.hbs does not write \{\{comment\}\}/,
    );
  });
});

describe('needsUngranted', () => {
  it.each([
    ['', false],
    ['{{#each allowed.ipv4}}x{{/each}}', false],
    ['{{! ungranted }}', false],
    ['{{#if ungranted.ipv4}}x{{/if}}', true],
    ['{{#each allowed.ipv4}}{{#each ../ungranted.xtables}}x{{/each}}{{/each}}', true],
    ['{{#each allowed.ipv4}}{{#if @root.ungranted.ipv6}}x{{/if}}{{/each}}', true],
  ])('%s', (source, expected) => {
    expect(needsUngranted(compile(source))).toBe(expected);
  });
});
