// Where things lie in q4n weights (runtime/quant/q4n.ts) and in lists of neurons (runtime/ops/select/list.ts): u32 count, u32 whether there are
// entries (0 = the list stands for all neurons), u32 whether the rows are those of the compact matrix, a word free, then the entries.

const HEAD: usize = 64;

/** Bytes of a row's codes. */
export function rowBytes(k: u32): usize {
  return ((<usize>k + 31) & ~31) >> 1;
}

export function blockBytes(k: u32): usize {
  return HEAD + (rowBytes(k) << 4);
}

export function rowAt(w: usize, row: u32, k: u32): usize {
  return w + <usize>(row >> 4) * blockBytes(k) + HEAD + <usize>(row & 15) * rowBytes(k);
}

export function scaleAt(w: usize, row: u32, k: u32): usize {
  return w + <usize>(row >> 4) * blockBytes(k) + ((<usize>row & 15) << 2);
}

export const ENTRIES_AT: usize = 16;

/** Entries of a list, 0 where it stands for all (or there is none). */
export function entriesOf(list: usize): usize {
  return list != 0 && load<u32>(list, 4) != 0 ? list + ENTRIES_AT : 0;
}

/** Are the rows those of the compact matrix? A set of them is in order then. */
export function isCompact(list: usize): bool {
  return list != 0 && load<u32>(list, 8) != 0;
}

/** Writes the head of a list; listed: it has entries. */
export function writeHead(list: usize, count: u32, listed: bool, compact: bool): void {
  store<u32>(list, count);
  store<u32>(list, <u32>listed, 4);
  store<u64>(list, <u64>compact, 8);
}

/** Row number i of those to be done. */
export function rowOf(entries: usize, i: u32): u32 {
  return entries ? load<u32>(entries + ((<usize>i) << 2)) : i;
}

/** Rows of a list that are brought near at a time, which overlaps their ways from memory. */
export const NEAR: u32 = 64;
/** Rows of a list that are at least the so many-th of all lie so close together that what is between them is read too: memory is faster in one stream. */
export const CLOSE: u32 = 2;

/** Brings rows of w, k wide, near with their scales: entries from … at most end; returns up to which. */
export function touchRows(w: usize, entries: usize, from: u32, end: u32, k: u32): u32 {
  end = min(from + NEAR, end);
  const bytes = rowBytes(k);
  const first = rowOf(entries, from);
  const last = rowOf(entries, end - 1);
  if ((end - from) * CLOSE > last - first) {
    touch(scaleAt(w, first, k), 4);
    touch(rowAt(w, first, k), rowAt(w, last, k) + bytes - rowAt(w, first, k));
    return end;
  }
  const block = blockBytes(k);
  for (let i = from; i < end; i++) {
    const row = rowOf(entries, i);
    const head = w + <usize>(row >> 4) * block;
    load<u8>(head);
    touch(head + HEAD + <usize>(row & 15) * bytes, bytes);
  }
  return end;
}

/** Brings the scales of all n rows near. */
export function touchScales(w: usize, n: u32, k: u32): void {
  const bytes = blockBytes(k);
  for (const end = w + <usize>((n + 15) >> 4) * bytes; w < end; w += bytes) load<u8>(w);
}

/** Brings the lines of [from, from + bytes) near: a load whose value nobody uses is done all the same, as it may trap. */
export function touch(from: usize, bytes: usize): void {
  const end = from + bytes;
  from &= ~63;
  for (; from + 256 < end; from += 256) {
    load<u8>(from);
    load<u8>(from, 64);
    load<u8>(from, 128);
    load<u8>(from, 192);
  }
  for (; from < end; from += 64) load<u8>(from);
}
