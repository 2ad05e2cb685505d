// Which WebAssembly features this engine has, found by validating tiny hand-encoded modules. A feature that validates may still be
// wrong in an engine: builds prove themselves by a known answer after loading.

export interface WasmFeatures {
  /** 128-bit SIMD. */
  readonly simd: boolean;
  /** Relaxed SIMD, the dot products above all. */
  readonly relaxed: boolean;
  /** Atomic instructions on shared memory. */
  readonly threads: boolean;
  /** Memory can be made shared and handed to workers; in a browser only on a cross-origin isolated page. */
  readonly sharedMemory: boolean;
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** Type section: one type, () → (). */
const TYPE = [0x01, 0x04, 0x01, 0x60, 0x00, 0x00];
/** Function section: one function of type 0. */
const FUNCTION = [0x03, 0x02, 0x01, 0x00];
/** Memory section: one shared memory of 1 to 1 page. */
const SHARED_MEMORY = [0x05, 0x04, 0x01, 0x03, 0x01, 0x01];

const I32_CONST_0 = [0x41, 0x00];
const DROP = 0x1a;
const END = 0x0b;
/** v128.const with 16 zero bytes. */
const V128_ZERO = [0xfd, 0x0c, ...Array<number>(16).fill(0)];

/** A module whose one function is `code`, with `sections` before the code. */
function moduleOf(code: readonly number[], sections: readonly number[] = []): Uint8Array<ArrayBuffer> {
  const body = [0x00, ...code, END]; // no locals
  return new Uint8Array([...HEADER, ...TYPE, ...FUNCTION, ...sections, 0x0a, body.length + 2, 0x01, body.length, ...body]);
}

const SIMD = moduleOf([...V128_ZERO, 0xfd, 0x62, DROP]); // i8x16.popcnt
const RELAXED = moduleOf([...V128_ZERO, ...V128_ZERO, ...V128_ZERO, 0xfd, 0x93, 0x02, DROP]); // i32x4.relaxed_dot_i8x16_i7x16_add_s
const THREADS = moduleOf([...I32_CONST_0, 0xfe, 0x10, 0x02, 0x00, DROP], SHARED_MEMORY); // i32.atomic.load align=4

function canShareMemory(): boolean {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  if (typeof SharedArrayBuffer === "undefined" || isolated === false) return false;
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer;
  } catch {
    return false; // the engine knows no shared memory
  }
}

export function probe(): WasmFeatures {
  if (typeof WebAssembly === "undefined") return { simd: false, relaxed: false, threads: false, sharedMemory: false };
  return { simd: WebAssembly.validate(SIMD), relaxed: WebAssembly.validate(RELAXED), threads: WebAssembly.validate(THREADS), sharedMemory: canShareMemory() };
}
