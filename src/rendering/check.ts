/**
 * Checks a template's tree against the context's shape before it is ever rendered. Handlebars' own
 * `strict` stops only at a missing value it is about to print: {{#if typo}} and {{#each typo}} pass, and would
 * render a wrong firewall.
 */
import { fieldOf, isList, type Shape } from './shape.ts';

type Node = hbs.AST.Node;
type Path = hbs.AST.PathExpression;

/** Something in a template that cannot be rendered as meant. `line` counts from 1. */
export class Mistake extends Error {
  readonly line: number;
  constructor(at: Node, reason: string) {
    super(reason);
    this.line = at.loc.start.line;
  }
}

/** The context's fields that a template uses, as `allowed.ipv4`; throws the first `Mistake`. */
export function checkTemplate(program: hbs.AST.Program, context: Shape): ReadonlySet<string> {
  const checker = new Checker(context);
  checker.body(program, [context]);
  return checker.mentions;
}

/** What `.`, `..`, `../..` mean at some place: the innermost scope first, the whole context last. */
type Scopes = readonly Shape[];

const AVAILABLE = 'only #each, #if and #unless are available';
const LOOP_TEXTS: ReadonlySet<string> = new Set(['@index']);
const LOOP_FLAGS: ReadonlySet<string> = new Set(['@first', '@last']);

class Checker {
  readonly mentions = new Set<string>();
  readonly #context: Shape;

  constructor(context: Shape) {
    this.#context = context;
  }

  body(program: hbs.AST.Program | undefined, scopes: Scopes): void {
    for (const statement of program?.body ?? []) this.#statement(statement, scopes);
  }

  #statement(statement: hbs.AST.Statement, scopes: Scopes): void {
    if (statement.type === 'ContentStatement' || statement.type === 'CommentStatement') return;
    if (isMustache(statement)) this.#mustache(statement, scopes);
    else if (isBlock(statement)) this.#block(statement, scopes);
    else throw new Mistake(statement, `there are no partials and decorators; ${AVAILABLE}`);
  }

  #mustache(mustache: hbs.AST.MustacheStatement, scopes: Scopes): void {
    const path = pathOf(mustache.path);
    if (takesMore(mustache))
      throw new Mistake(mustache, `there is no helper "${path.original}"; ${AVAILABLE}`);
    const shape = this.#shapeOf(path, scopes);
    if (shape === 'text') return;
    const remedy = isList(shape) ? 'a list: use #each' : 'not a text: use #if, or name one of its fields';
    throw new Mistake(mustache, `"${path.original}" is ${remedy}`);
  }

  #block(block: hbs.AST.BlockStatement, scopes: Scopes): void {
    const name = block.path.original;
    const [param, ...others] = block.params;
    if (name !== 'each' && name !== 'if' && name !== 'unless') {
      throw new Mistake(block, `there is no block "#${name}"; ${AVAILABLE}`);
    }
    if (param === undefined || others.length > 0 || block.hash !== undefined || hasNames(block)) {
      throw new Mistake(block, `#${name} takes exactly one field of the context, and no "as |name|"`);
    }
    const shape = this.#shapeOf(pathOf(param), scopes);
    this.body(block.program, name === 'each' ? [itemOf(shape, block), ...scopes] : scopes);
    this.body(block.inverse, scopes);
  }

  #shapeOf(path: Path, scopes: Scopes): Shape {
    if (path.data && path.parts[0] !== 'root') return loopValue(path, scopes);
    const start = path.data ? this.#context : scopes[path.depth];
    const names = partsOf(path).slice(path.data ? 1 : 0);
    if (start === undefined) throw new Mistake(path, `"${path.original}" is outside the context`);
    if (start === this.#context) this.#mention(names);
    return names.reduce((shape, name) => {
      const field = fieldOf(shape, name);
      if (field === undefined) throw new Mistake(path, `the context has no "${path.original}" here`);
      return field;
    }, start);
  }

  #mention(names: readonly string[]): void {
    names.forEach((_, index) => {
      this.mentions.add(names.slice(0, index + 1).join('.'));
    });
  }
}

const isMustache = (statement: hbs.AST.Statement): statement is hbs.AST.MustacheStatement =>
  statement.type === 'MustacheStatement';

const isBlock = (statement: hbs.AST.Statement): statement is hbs.AST.BlockStatement =>
  statement.type === 'BlockStatement';

const isPath = (expression: hbs.AST.Expression): expression is Path => expression.type === 'PathExpression';

const pathOf = (expression: hbs.AST.Expression): Path => {
  if (isPath(expression)) return expression;
  throw new Mistake(expression, 'expected a field of the context, got a literal or an expression');
};

const takesMore = ({ params, hash }: hbs.AST.MustacheStatement): boolean =>
  params.length > 0 || hash !== undefined;

/** `{{#each x as |y|}}`: a second way to name things that templates do not need. */
const hasNames = ({ program }: hbs.AST.BlockStatement): boolean => (program.blockParams ?? []).length > 0;

const itemOf = (shape: Shape, block: hbs.AST.BlockStatement): Shape => {
  if (isList(shape)) return shape.list;
  throw new Mistake(block, `"${pathOf(block.params[0] ?? block.path).original}" is not a list`);
};

const loopValue = (path: Path, scopes: Scopes): Shape => {
  if (scopes.length < 2) throw new Mistake(path, `"${path.original}" works only inside #each`);
  if (LOOP_TEXTS.has(path.original)) return 'text';
  if (LOOP_FLAGS.has(path.original)) return 'flag';
  throw new Mistake(path, `the context has no "${path.original}" here`);
};

/** Handlebars parses a sub-expression in front of a dot as a part; the types do not say so. */
const partsOf = (path: Path): readonly string[] => {
  if (path.parts.every((part) => typeof part === 'string')) return path.parts;
  throw new Mistake(path, 'expected a field of the context, got an expression');
};
