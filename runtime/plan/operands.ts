// Pass: operands of ops other than linears that their variant reads as rows of i8static (conv1d, scan) are quantised by steps before them; a row that
// a linear reads with the same range is quantised once for both.
import { PANEL } from "../act/i8tok.ts";
import type { GraphNode } from "../graph/types.ts";
import { OPS } from "../ops/catalogue.gen.ts";
import { type Ir, tensor } from "./ir.ts";

/** Rows of static formats are those of this one, and so are their kernels. */
const ROWS = "i8tok";

export function quantiseOperands(ir: Ir): void {
  const nodes: GraphNode[] = [];
  const rows = new Map<string, string>();
  const key = (x: string, range: string | undefined) => `${x}:${ROWS}${range}`;
  for (const n of ir.nodes) {
    if (n.op === "quantise" && n.variant === ROWS && n.tensors.range) rows.set(key(n.tensors.x, n.tensors.range), n.tensors.y);
    const { quantised } = OPS[n.op];
    if (n.variant === "f32" || Object.keys(quantised).length === 0) {
      nodes.push(n);
      continue;
    }
    const tensors = { ...n.tensors };
    for (const [field, rangeField] of Object.entries(quantised)) {
      const { [field]: x, [rangeField]: range } = n.tensors;
      const name = key(x, range);
      if (!rows.has(name)) {
        nodes.push(quantiseStep(ir, n, field, { x, y: name, range }));
        rows.set(name, name);
      }
      tensors[field] = rows.get(name) as string;
      delete tensors[rangeField];
    }
    nodes.push({ ...n, tensors });
  }
  ir.nodes = nodes;
}

function quantiseStep(ir: Ir, of: GraphNode, field: string, tensors: Record<"x" | "y" | "range", string>): GraphNode {
  const { shape } = tensor(ir, tensors.x);
  ir.tensors.set(tensors.y, { name: tensors.y, role: "value", format: ROWS, shape });
  return { op: "quantise", name: `${of.name}.${field}.quantise`, variant: ROWS, rows: of.rows, tensors, attrs: { k: shape[1] as number, panel: PANEL.none } };
}
