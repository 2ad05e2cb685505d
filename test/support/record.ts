// A small valid result record for tests; fields can be replaced.
import { figureOf, type ResultRecord } from "../../runtime/stats/record.ts";

export function sampleRecord(changes: Partial<ResultRecord> = {}): ResultRecord {
  return {
    version: 1,
    date: "2026-02-03T04:05:06.000Z",
    machine: { cpu: "Cortex-A78AE", cores: 6, memoryBytes: 8_000_000_000, os: "Ubuntu 22.04", arch: "arm64", board: "Jetson Orin Nano", governor: "schedutil", maxMegahertz: 1510 },
    engine: { name: "Node", version: "20.19.0", core: "V8 11.3" },
    builds: ["simd-threads"],
    features: ["simd", "threads"],
    model: { name: "tiny-swiglu", hash: "0123456789abcdef0123", bytes: 1_900_000 },
    recipe: "q4g32",
    threads: 4,
    figures: [figureOf("decode.rate", "tokens/s", "higher", [100, 101, 102, 103, 104, 99, 98]), figureOf("load", "ms", "lower", [12, 11, 12, 13, 12, 12, 14])],
    verdict: { verdict: "steady", reason: "drift 0.2 %, coefficient of variation 1.1 %" },
    ...changes,
  };
}
