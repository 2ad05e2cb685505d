// Lists of neurons as kernels hand them on, u32 [1, LIST_HEAD + n]: how many, whether they are listed (0 = the list stands for all n), two words
// free, then the entries in ascending order: numbers of neurons in a set, byte offsets of their rows in picks.

export const LIST_HEAD = 4;

/** The entries, or undefined where the list stands for all. */
export function readList(list: Uint32Array): Uint32Array | undefined {
  return list[1] ? list.subarray(LIST_HEAD, LIST_HEAD + list[0]) : undefined;
}

/** Writes a list of these entries, or (undefined) one that stands for all n. */
export function writeList(list: Uint32Array, n: number, entries: ArrayLike<number> | undefined): void {
  list.set([entries?.length ?? n, entries ? 1 : 0, 0, 0]);
  if (entries) list.set(entries, LIST_HEAD);
}
