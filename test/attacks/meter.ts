// Measures what reading a file costs: bytes of buffers asked for, bytes read from sources, time.
import type { Folder, Source } from "../../runtime/io/source.ts";

export interface Meter {
  /** Bytes of every typed array and buffer constructed while metering. */
  allocated: number;
  /** Bytes read through metered sources. */
  read: number;
}

const CONSTRUCTORS = [
  "ArrayBuffer",
  "SharedArrayBuffer",
  "Uint8Array",
  "Uint16Array",
  "Uint32Array",
  "Int8Array",
  "Int16Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
] as const;

/** Runs `work` while constructors of buffers are watched. Not for two runs at a time. */
export async function metered<T>(meter: Meter, work: () => Promise<T>): Promise<T> {
  const globals = globalThis as unknown as Record<string, { new (...args: unknown[]): { byteLength: number; buffer?: unknown } }>;
  const originals = CONSTRUCTORS.map((name) => [name, globals[name]] as const);
  for (const [name, original] of originals) {
    globals[name] = new Proxy(original, {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget) as { byteLength: number; buffer?: unknown };
        if (made.buffer === undefined || made.buffer !== args[0]) meter.allocated += made.byteLength;
        return made;
      },
    });
  }
  try {
    return await work();
  } finally {
    for (const [name, original] of originals) globals[name] = original;
  }
}

export function meteredSource(source: Source, meter: Meter): Source {
  return {
    name: source.name,
    size: source.size,
    read(offset, into) {
      meter.read += into.length;
      return source.read(offset, into);
    },
    close: () => source.close(),
  };
}

export function meteredFolder(folder: Folder, meter: Meter): Folder {
  return { name: folder.name, list: () => folder.list(), open: async (file) => meteredSource(await folder.open(file), meter) };
}
