// Plans written by hand: elementwise steps over a few buffers, for tests of devices and executors.

import type { Program } from "../../runtime/plan/device.ts";
import { memoryMap } from "../../runtime/plan/memory.ts";
import type { Plan, Step } from "../../runtime/plan/types.ts";
import type { WasmDevice } from "../../targets/devices/wasm/device.ts";

export interface Elementwise {
  readonly name: string;
  readonly op: "add" | "copy";
  /** Buffers; a copy has no b. */
  readonly a: string;
  readonly b?: string;
  readonly y: string;
  readonly units: number;
  /** More columns than a row has send the step out of memory. */
  readonly k?: number;
  /** Default: the device's kernel of the op. */
  readonly kernel?: string;
}

/** A plan of elementwise steps over buffers f32 [rows, k], all mapped so that a test can read and write them. */
export function elementwisePlan(name: string, steps: readonly Elementwise[], rows: number, k: number, kernels: readonly string[]): Plan {
  const buffers = new Set(steps.flatMap((s) => [s.a, ...(s.b ? [s.b] : []), s.y]));
  const step = (s: Elementwise): Step => {
    const variant = s.op === "add" ? "f32" : "rows";
    return {
      op: s.op,
      variant,
      kernel: s.kernel ?? (kernels.find((n) => n.startsWith(`${s.op}_${variant}__`)) as string),
      name: s.name,
      rows: "T",
      tensors: s.op === "add" ? { a: s.a, b: s.b as string, y: s.y } : { x: s.a, y: s.y },
      attrs: { k: s.k ?? k },
      slots: {},
      units: s.units,
      why: "written by hand",
      cost: { bytes: 0, macs: 0 },
    };
  };
  return {
    name,
    symbols: { T: rows, L: 1, C: 1 },
    steps: steps.map(step),
    tensors: new Map([...buffers].map((b) => [b, { name: b, role: "output" as const, format: "f32", shape: ["T" as const, k] }])),
    arena: new Map(),
    arenaBytes: 0,
    adjacent: [],
  };
}

export function allocate(device: WasmDevice, plans: readonly Plan[]): Program {
  return device.allocate(memoryMap(plans), plans);
}

export function floats(program: Program, tensor: string): Float32Array {
  const view = program.view(tensor);
  return new Float32Array(view.buffer, view.byteOffset, view.length / 4);
}

/** What the steps do to the buffers, in plain arrays; only the first `rows` rows take part. */
export function interpret(steps: readonly Elementwise[], buffers: Map<string, Float32Array>, elements: number): void {
  for (const s of steps) {
    const [a, b, y] = [s.a, s.b ?? s.a, s.y].map((n) => buffers.get(n) as Float32Array);
    for (let i = 0; i < elements; i++) y[i] = s.op === "add" ? a[i] + b[i] : a[i];
  }
}
