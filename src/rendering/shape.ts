/**
 * The shape of a template's context, as data: a template can be checked against it before it is ever
 * rendered. The type keeps it in step with the context's interface: a field added there and forgotten
 * here does not compile.
 */

/** `text` can be printed, `flag` only asked, `list` walked by {{#each}}, `fields` reached with a dot. */
export type Shape = 'text' | 'flag' | ListShape | FieldsShape;

export interface ListShape {
  readonly list: Shape;
}

export interface FieldsShape {
  readonly fields: Readonly<Record<string, Shape>>;
}

/** The shape that describes values of type `T`. */
export type ShapeOf<T> = T extends string
  ? 'text'
  : T extends boolean
    ? 'flag'
    : T extends readonly (infer Item)[]
      ? { readonly list: ShapeOf<Item> }
      : { readonly fields: { readonly [Name in keyof T]-?: ShapeOf<Exclude<T[Name], undefined>> } };

export const isList = (shape: Shape): shape is ListShape => typeof shape === 'object' && 'list' in shape;

/** The shape of a field, or `undefined` where there is none; what objects inherit is no field. */
export const fieldOf = (shape: Shape, name: string): Shape | undefined =>
  typeof shape === 'object' && 'fields' in shape && Object.hasOwn(shape.fields, name)
    ? shape.fields[name]
    : undefined;
