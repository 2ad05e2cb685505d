// Every limit a parser of outside bytes keeps, in one place. Sizes are in bytes, lengths in UTF-16 units, the rest are counts.
// A number beyond its limit ends in `format.limit`. docs/format.md lists the same numbers: change both.

const MiB = 2 ** 20;

export const LIMITS = {
  /** Safetensors header. 65,536 tensors with long names take 10 MB; buffer and two-byte text of 16 MB stay within 2 × file + 16 MB. */
  headerBytes: 16_000_000,
  /** Tensors in one file: the largest public shards hold a few thousand. */
  tensors: 65_536,
  /** Tensors in all shards of a model: a mixture of 384 experts in 60 layers has about 70,000. */
  modelTensors: 131_072,
  /** Shards of a model, all open at once: half the usual allowance of open files. */
  shards: 512,
  /** Dimensions of a tensor: convolutions over video have five. */
  rank: 8,
  /** Tensor and metadata names: real ones stay below 200. */
  nameLength: 1024,
  /** Entries of `__metadata__`. */
  metadataEntries: 4096,
  /** One value of `__metadata__`; provenance may quote a whole licence. */
  metadataLength: 1_000_000,

  /** Nesting of any JSON text: tokenizer.json needs about 8. Keeps recursion far from the end of the stack. */
  jsonDepth: 32,
  /** Keys of one JSON object: vocabularies reach 300,000. */
  jsonKeys: 500_000,
  /** Characters of one JSON number: 2^64 has 20, a shortest-round-trip f64 at most 25. */
  jsonNumberLength: 64,
  /** One string in a JSON text: charsmap of a SentencePiece normaliser is about 400,000. */
  jsonStringLength: 8_000_000,

  /** config.json: a classifier's 21,000 labels take 1 MB. */
  configBytes: 4_000_000,
  /** tokenizer.json: the largest public vocabularies take 35 MB. */
  tokenizerBytes: 64_000_000,
  /** model.safetensors.index.json: 131,072 names of 200 bytes. */
  indexBytes: 32_000_000,

  /** Files in an npm package or a wheel: the largest public ones have 60,000. */
  archiveEntries: 200_000,
  /** Everything in one archive, unpacked. Unpacking streams, so this bounds time, not memory. */
  archiveBytes: 256 * 1024 * MiB,
  /** Directory of a zip; an extended header or a long name of a tar is held to `archiveHeaderBytes`. */
  archiveDirectoryBytes: 64_000_000,
  archiveHeaderBytes: 1_000_000,
  /** One file fetched from a server. */
  transferBytes: 4 * 1024 * 1024 * MiB,
  /** What a hub says about a repository: 10,000 files of 500 bytes. */
  listingBytes: 16_000_000,
  /** Entry of the cache: names and hashes of a pull. */
  cacheEntryBytes: 4_000_000,

  /** Front of a GGUF file, metadata and directory: 262,144 tokens with scores and 580,000 merges take 20 MB. */
  ggufHeaderBytes: 100_000_000,
  /** A key of GGUF metadata, in bytes: what the format allows. */
  ggufKeyBytes: 65_535,
  /** Items of one array of GGUF metadata: the merges of the largest vocabularies are 580,000. */
  ggufArrayLength: 4_000_000,
  /** Levels of arrays in arrays, which nothing known uses. */
  ggufArrayDepth: 4,
  /** Arrays inside other arrays, in one file: each costs ten times what it takes in the file. */
  ggufArrays: 65_536,
  /** Dimensions of a GGUF tensor, as in ggml. */
  ggufRank: 4,
  /** Alignment of GGUF tensors: the largest page of common machines. */
  ggufAlignment: 65_536,

  /** One tensor of a pack: the smallest storage-buffer binding that WebGPU guarantees. */
  packTensorBytes: 128 * MiB,
  /** Documents of a pack, padding included. */
  documentBytes: {
    graph: 16 * MiB,
    card: MiB,
    recipe: MiB,
    tokenizer: 64 * MiB,
    report: 16 * MiB,
    golden: 16 * MiB,
    /** Ten clusters of 32 layers of 14,336 neurons, two fifths of them listed, take 12 MB. */
    cores: 64 * MiB,
  },
} as const;
