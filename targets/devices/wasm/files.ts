// Files of the core. A build of vectors is kept once, with threads: over memory that is not shared the same code is the build without them, as
// atomics are valid on any memory and one lane never waits. The two differ in one bit, the flag of the memory that they import.
import { SkintError } from "../../../runtime/errors.ts";
import type { BuildName } from "./catalogue.gen.ts";

export type CoreFile = Extract<BuildName, "scalar" | `${string}-threads`>;

/** Name of the file that a build is made of. */
export function fileOf(build: string): CoreFile {
  return (build === "scalar" || build.endsWith("-threads") ? build : `${build}-threads`) as CoreFile;
}

/** A build out of the bytes of its file. Throws `device.unavailable` if they import no memory. */
export function buildOf(build: string, file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return build === fileOf(build) ? file : unshared(file);
}

const HEADER_BYTES = 8;
const IMPORTS = 2;
const FUNCTION = 0;
const MEMORY = 2;
const SHARED = 2;

/** A copy whose imported memory is not shared. Functions may be imported before it, nothing else. */
function unshared(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = file.slice();
  let at = HEADER_BYTES;
  const leb = () => {
    let value = 0;
    for (let shift = 0; shift < 35 && at < bytes.length; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return value >>> 0;
  };
  const skip = (count: number) => {
    at += count;
  };
  while (at < bytes.length && bytes[at] !== IMPORTS) {
    at++;
    skip(leb());
  }
  at++;
  leb(); // length of the section
  for (let left = leb(); left > 0 && at < bytes.length; left--) {
    skip(leb()); // module
    skip(leb()); // field
    const kind = bytes[at++];
    if (kind === MEMORY) {
      bytes[at] &= ~SHARED;
      return bytes;
    }
    if (kind !== FUNCTION) break;
    leb(); // type
  }
  throw new SkintError("device.unavailable", "the core imports no memory; its file is damaged: build or fetch it again");
}
