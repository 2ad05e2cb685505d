// Encodes one step into the 32-word record a kernel reads (assembly/abi.gen.ts). The only place that knows the byte form.
import { type OpDef, RECORD_WORDS } from "../../../runtime/ops/define.ts";

export const RECORD_BYTES = RECORD_WORDS * 4;

/** Where a record's words come from. */
export interface RecordSource {
  readonly kernel: number;
  readonly units: number;
  /** Address of the tensor, `rows` cell or slot of a field; 0 if an optional tensor is absent. */
  address(field: string): number;
  /** Row stride of the tensor in field `tensor`. */
  stride(tensor: string): number;
  value(field: string): number;
}

export function encodeRecord(view: DataView, at: number, op: OpDef, from: RecordSource): void {
  view.setUint32(at, from.kernel, true);
  view.setUint32(at + 4, from.units, true);
  let word = at + 8;
  for (const [field, kind] of Object.entries(op.fields)) {
    if (kind === "f32") view.setFloat32(word, from.value(field), true);
    else if (kind === "u32" || kind === "i32") view.setUint32(word, from.value(field) >>> 0, true);
    else if (kind.startsWith("stride ")) view.setUint32(word, from.stride(kind.slice(7)), true);
    else view.setUint32(word, from.address(field), true);
    word += 4;
  }
}
