// Digests as hosts provide them (targets/hosts/<name>/hash.ts).

/** A running digest. `bytes` may view shared memory; it is read before `update` returns. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Lower-case hex of everything so far; ends the digest. */
  digest(): string;
}

/** Makes a fresh SHA-256. */
export type HasherFactory = () => Hasher;
