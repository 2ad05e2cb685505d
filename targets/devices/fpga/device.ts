// The FPGA device: an engine on a line beside the WASM device, which runs what the engine does not.
import { SkintError } from "../../../runtime/errors.ts";
import type { WasmDevice } from "../wasm/device.ts";
import type { WasmProgram } from "../wasm/program.ts";
import type { Line } from "./link/line.ts";
import type { Hello } from "./link/protocol.ts";
import { Session } from "./link/session.ts";
import { type FpgaHooks, FpgaProgram } from "./program.ts";

export interface FpgaOptions extends FpgaHooks {
  readonly signal?: AbortSignal;
  /** Boards that Skint knows, by the name they say, with the hash of the image it would make for them. Others are refused. */
  readonly known?: ReadonlyMap<string, string>;
}

export interface FpgaDevice extends WasmDevice {
  readonly fpga: { readonly line: string; readonly hello: Hello };
}

/**
 * Probes what is on the line and joins it with a WASM device. Throws `device.unavailable` if nothing answers, `device.wrong` if the board is none that
 * is known or its image was made of something else.
 */
export async function openFpga(line: Line, wasm: WasmDevice, options: FpgaOptions): Promise<FpgaDevice> {
  const session = await Session.open(line, { signal: options.signal });
  if (options.known) judge(session.hello, options.known, line.name);
  return {
    ...wasm,
    name: "fpga",
    fpga: { line: line.name, hello: session.hello },
    allocate: (map, plans) => new FpgaProgram(wasm.allocate(map, plans) as WasmProgram, session, plans, options),
  };
}

/** Throws `device.wrong`. */
export function judge({ board, build }: Hello, known: ReadonlyMap<string, string>, line: string): void {
  const want = known.get(board);
  if (want === undefined)
    throw new SkintError(
      "device.wrong",
      `${line} has a board called ${JSON.stringify(board)}, which Skint does not know (${[...known.keys()].join(", ")}); is it another device's line?`,
      {
        what: line,
      },
    );
  if (want !== build)
    throw new SkintError(
      "device.wrong",
      `the image of ${board} on ${line} is build ${build}, this Skint makes ${want}; write it anew: skint flash build --board, then the board's own loader`,
      {
        what: line,
      },
    );
}
