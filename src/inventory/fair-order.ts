/**
 * The order in which too many denied destinations are kept or shown: one of each address first, then a second of each,
 * so that the ports of one address do not hide other addresses.
 */
export function fairOrder<T extends { readonly address: string }>(items: readonly T[]): readonly T[] {
  const seen = new Map<string, number>();
  const ranked = items.map((item) => {
    const rank = seen.get(item.address) ?? 0;
    seen.set(item.address, rank + 1);
    return { item, rank };
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ item }) => item);
}
