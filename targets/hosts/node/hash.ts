// SHA-256 from node:crypto. Accepts views of shared memory.
import { createHash } from "node:crypto";
import type { Hasher } from "../../../runtime/io/hash.ts";

export function sha256(): Hasher {
  const hash = createHash("sha256");
  return {
    update(bytes) {
      hash.update(bytes);
    },
    digest: () => hash.digest("hex"),
  };
}
