// Aligned text tables for terminals. Widths count visible characters, so coloured cells line up.
import { stripVTControlCharacters } from "node:util";

export interface TableStyle {
  /** Columns aligned to the right, by index. */
  readonly right?: readonly number[];
}

const width = (cell: string) => [...stripVTControlCharacters(cell)].length;

/** Lines of a table with two spaces between columns; an empty `head` leaves the heading out. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], style: TableStyle = {}): string {
  const all = head.length ? [head, ...rows] : rows;
  const columns = Math.max(0, ...all.map((r) => r.length));
  const widths = Array.from({ length: columns }, (_, c) => Math.max(...all.map((r) => width(r[c] ?? ""))));
  const pad = (cell: string, c: number) => {
    const space = " ".repeat(widths[c] - width(cell));
    return style.right?.includes(c) ? space + cell : cell + space;
  };
  return all
    .map((r) =>
      widths
        .map((_, c) => pad(r[c] ?? "", c))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
