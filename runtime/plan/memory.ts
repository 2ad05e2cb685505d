// The memory map of a model on a device: where weights, states, constants, inputs, outputs and the arena lie. Offsets from the base
// the device chooses; everything is 64-byte aligned; several plans share one map.
import { SkintError } from "../errors.ts";
import { byteLength } from "../graph/formats.ts";
import type { TensorDef } from "../graph/types.ts";
import { roundup } from "../num/int.ts";
import type { Plan } from "./types.ts";

export interface Region {
  readonly offset: number;
  readonly bytes: number;
}

export interface MemoryMap {
  /** Everything but values, by name. */
  readonly tensors: ReadonlyMap<string, Region>;
  readonly arena: number;
  readonly bytes: number;
}

const ALIGN = 64;

export function memoryMap(plans: readonly Plan[]): MemoryMap {
  const tensors = new Map<string, Region>();
  let next = 0;
  const place = (name: string, bytes: number, align = ALIGN) => {
    next = roundup(next, align);
    tensors.set(name, { offset: next, bytes });
    next += bytes;
  };
  const sizes = collect(plans);
  for (const group of plans.flatMap((p) => p.adjacent)) {
    if (group.every((w) => tensors.has(w))) continue;
    next = roundup(next, ALIGN);
    for (const w of group) {
      if (tensors.has(w)) throw new SkintError("graph.invalid", `weights ${w} cannot lie behind two different neighbours`, { what: w });
      place(w, sizes.get(w)?.bytes as number, 4);
    }
  }
  for (const [name, { bytes }] of sizes) if (!tensors.has(name)) place(name, bytes);
  const arena = roundup(next, ALIGN);
  return { tensors, arena, bytes: arena + Math.max(...plans.map((p) => p.arenaBytes)) };
}

function collect(plans: readonly Plan[]): Map<string, { t: TensorDef; bytes: number }> {
  const sizes = new Map<string, { t: TensorDef; bytes: number }>();
  for (const plan of plans)
    for (const t of plan.tensors.values()) {
      if (t.role === "value" || t.view) continue;
      // Weights end on the padding of model.skint, so that a file's bytes go straight into their place.
      const bytes = t.role === "weight" ? roundup(byteLength(t, plan.symbols), ALIGN) : byteLength(t, plan.symbols);
      sizes.set(t.name, { t, bytes: Math.max(bytes, sizes.get(t.name)?.bytes ?? 0) });
    }
  return sizes;
}

/** Offset of any tensor of a plan: mapped, in the arena, or a view of either. */
export function offsetOf(map: MemoryMap, plan: Plan, name: string): number {
  const t = plan.tensors.get(name) as TensorDef;
  if (t.view) return offsetOf(map, plan, t.view.of) + 4 * t.view.offset;
  const region = map.tensors.get(name);
  if (region) return region.offset;
  return map.arena + (plan.arena.get(name) as number);
}
