/** What several checks ask of the same captures is found once. */

/** The function with a memory of what it answered to each object, for as long as that object is held. */
export function remembered<Of extends object, Found>(find: (of: Of) => Found): (of: Of) => Found {
  const known = new WeakMap<Of, { readonly found: Found }>();
  return (of) => {
    let entry = known.get(of);
    if (entry === undefined) {
      entry = { found: find(of) };
      known.set(of, entry);
    }
    return entry.found;
  };
}
