// What a calibrator of feed-forward layers is: it finds what each layer leaves out, on a text, of the model as it was compressed. One file a calibrator in
// methods/neurons/; a rule of a recipe asks for it by its mode: "ffn": { "mode": "cett", "calibrate": { "ppl": 1 } }.
import type { Clusters } from "../../runtime/cores/clusters.ts";
import type { FfnRule } from "./byneurons.ts";
import type { Settings } from "./method.ts";
import type { Study } from "./study.ts";

/** What was found, as the file keeps it. */
export interface Findings {
  /** By the layer's last linear. */
  readonly layers: ReadonlyMap<string, FfnRule>;
  /** What the calibrator says about it, as plain data. */
  readonly about: Readonly<Record<string, unknown>>;
  /** Clusters of texts for the document `skint.cores`, which get the hash of their weights when it is written. */
  readonly clusters?: Omit<Clusters, "model">;
}

export interface Calibrator {
  /** The mode it calibrates (runtime/ops/select/control.ts). */
  readonly name: string;
  readonly summary: string;
  /** Its settings with their defaults. */
  readonly settings: Settings;
  /** Why settings are out of range, if so. */
  complaint(settings: Settings): string | undefined;
  /** Throws `recipe.invalid` for layers that it cannot say anything about. */
  calibrate(study: Study, settings: Settings): Promise<Findings>;
}
