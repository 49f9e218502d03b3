/** Work that workloads with the same keys share. */
export function memoized<T>(make: (grants: readonly string[]) => T): (grants: readonly string[]) => T {
  const known = new Map<string, T>();
  return (grants) => {
    const id = JSON.stringify(grants);
    const found = known.get(id) ?? make(grants);
    known.set(id, found);
    return found;
  };
}
