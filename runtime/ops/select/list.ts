// Lists of neurons as kernels hand them on, u32 [1, LIST_HEAD + n]: how many, whether they are listed (0 = the list stands for all n), whether
// they are rows of the compact matrix, a word free, then the entries in ascending order: numbers of neurons in a set, byte offsets of their rows in picks.
// A compact matrix has the rows of a core in order: a set that says so is walked without its entries, and values of neurons are the first of their rows.

export const LIST_HEAD = 4;

/** The entries, or undefined where the list stands for all. */
export function readList(list: Uint32Array): Uint32Array | undefined {
  return list[1] ? list.subarray(LIST_HEAD, LIST_HEAD + list[0]) : undefined;
}

/** Are the rows those of the compact matrix? */
export const isCompact = (list: Uint32Array): boolean => list[2] !== 0;

/** Writes a list of these entries, or (undefined) one that stands for all n; compact: of rows of the compact matrix. */
export function writeList(list: Uint32Array, n: number, entries: ArrayLike<number> | undefined, compact = false): void {
  list.set([entries?.length ?? n, entries ? 1 : 0, compact ? 1 : 0, 0]);
  if (entries) list.set(entries, LIST_HEAD);
}
