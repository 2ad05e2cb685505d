// SHA-256 as a running digest: crypto.subtle wants all bytes at once and no shared memory. Accepts views of shared memory.
import { sha256 as noble } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Hasher } from "../../../runtime/io/hash.ts";

export function sha256(): Hasher {
  const hash = noble.create();
  return {
    update(bytes) {
      hash.update(bytes);
    },
    digest: () => bytesToHex(hash.digest()),
  };
}
