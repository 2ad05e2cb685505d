// Do files hold what is said of them: their bytes, and the weights that paths were fitted to.

import { DOCUMENTS } from "../../../runtime/formats/skint/layout.ts";
import { byteLength, isMatrix } from "../../../runtime/graph/formats.ts";
import type { Graph } from "../../../runtime/graph/types.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import { hashOf } from "../../compress/lowrank.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { compressed, MODELS, openCompressed } from "./models.ts";
import { KEPT } from "./orders.ts";

/** Worst relative difference of a file's bytes and what is accounted for: reported matrices and paths, other weights, texts and header. */
export async function bitsHonest(context: GoalContext): Promise<Measured> {
  let worst = { value: 0, note: "" };
  for (const folder of MODELS)
    for (const variant of KEPT) {
      const made = await compressed(folder, variant, context);
      const pack = await openCompressed(made);
      const graph = JSON.parse((await pack.document("graph")) as string) as Graph;
      const paths = new Set(graph.nodes.flatMap((n) => [n.tensors.down, n.tensors.up]));
      const others = graph.tensors.filter((t) => t.role === "weight" && !isMatrix(t) && !paths.has(t.name));
      let bytes = pack.dataOffset + made.report.matrices.reduce((sum, m) => sum + m.bytes + (m.path?.bytes ?? 0), 0);
      bytes += others.reduce((sum, t) => sum + byteLength(t, { T: 1, L: 1, C: 1 }), 0);
      for (const name of DOCUMENTS) bytes += new TextEncoder().encode((await pack.document(name)) ?? "").length;
      const value = Math.abs(pack.size - bytes) / pack.size;
      if (value >= worst.value) worst = { value, note: `${folder} as ${variant.name}: ${pack.size} bytes, ${bytes} accounted for` };
      await pack.close();
    }
  return worst;
}

/** Share of the layers with a path whose packed weights decode to exactly what the path was fitted to. */
export async function hashesThatHold(context: GoalContext): Promise<Measured> {
  let [all, hold] = [0, 0];
  for (const folder of MODELS)
    for (const variant of KEPT) {
      const made = await compressed(folder, variant, context);
      const pack = await openCompressed(made);
      for (const { name, scheme, n, k, path } of made.report.matrices) {
        if (!path) continue;
        const packed = new Uint8Array(SCHEMES[scheme].bytes(n, k));
        await pack.readBytes(name, 0, packed);
        all++;
        if (hashOf(SCHEMES[scheme].decode(packed, n, k)) === path.fittedTo) hold++;
      }
      await pack.close();
    }
  return { value: hold / all, note: `${all} layers with a path` };
}
