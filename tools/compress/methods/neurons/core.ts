// Clusters of texts and the core neurons of each, for prompts too short to show their own (similarity-guided CoreInfer, specs/coreinfer.md §5): the
// calibration text in pieces, told apart by k-means over the neurons that lead a probe layer, read twice: once for the probe, once to count each cluster.
import type { Clusters } from "../../../../runtime/cores/clusters.ts";
import { ALPHA, coreSize } from "../../../../runtime/cores/rank.ts";
import { SkintError } from "../../../../runtime/errors.ts";
import { CoreCounter } from "../../../profile/cores.ts";
import { type FfnLayer, isRelu } from "../../../profile/layers.ts";
import type { Calibrator } from "../../calibrator.ts";
import { type Clustering, elbow, kMeans } from "../../kmeans.ts";
import type { Study } from "../../study.ts";

/** Where the probe stands among the layers, and how many of its neurons a piece is known by, as shares (§5). */
const [PROBE, TOP] = [0.78, 0.2];
/** Clusters that are tried where none are asked for, and pieces that each is to have (§5). */
const [LEAST, MOST, PIECES] = [4, 10, 2];
/** Lists are u16, documents hold so many clusters. */
const [MOST_NEURONS, MOST_CLUSTERS] = [65536, 256];

interface Wanted {
  /** 0: as many as the pieces show. */
  readonly clusters: number;
  /** Tokens of a piece. */
  readonly tokens: number;
  readonly alpha: number;
  /** Share of a layer's neurons that is listed: the greatest beta. */
  readonly share: number;
  readonly seed: number;
}

const whole = (v: unknown, least: number, most: number) => Number.isInteger(v) && (v as number) >= least && (v as number) <= most;
const isShare = (v: unknown) => typeof v === "number" && v > 0 && v <= 1;

/** Throws `recipe.invalid` for layers with more neurons than lists can name. */
function probeOf({ layers }: Study): FfnLayer {
  const large = layers.find((l) => l.neurons > MOST_NEURONS);
  if (large)
    throw new SkintError("recipe.invalid", `${large.name} has ${large.neurons} neurons, cores are listed of at most ${MOST_NEURONS}; calibrate it for cett`, { what: large.name });
  return layers[Math.min(layers.length - 1, Math.round(PROBE * layers.length))];
}

/** Number of each window's first piece; behind the last window the number of all. */
function piecesOf({ windows }: Study, tokens: number): number[] {
  const from = [0];
  for (const w of windows) from.push(from[from.length - 1] + Math.floor(w.length / tokens));
  return from;
}

/** Calls `each` with the hidden values of every token that is in a piece. */
function measure(study: Study, from: readonly number[], tokens: number, each: (layer: number, h: Float32Array, piece: number) => void): Promise<void> {
  return study.measure((layer, h, window, pos) => {
    const piece = from[window] + Math.floor(pos / tokens);
    if (piece < from[window + 1]) each(layer, h, piece);
  });
}

function cluster(sets: readonly Uint32Array[], n: number, { clusters, tokens, seed }: Wanted): Clustering {
  const need = PIECES * (clusters || LEAST);
  if (sets.length < need)
    throw new SkintError(
      "calibration.text",
      `the calibration text makes ${sets.length} pieces of ${tokens} tokens, ${clusters || LEAST} clusters take ${need}: give at least ${need * tokens} tokens in long documents, or ask for fewer clusters or shorter pieces`,
      { what: "--calibration" },
    );
  return clusters ? kMeans(sets, n, clusters, seed) : elbow(sets, n, { least: LEAST, most: Math.min(MOST, Math.floor(sets.length / PIECES)), seed });
}

/** Lists of each cluster, best first; none for a layer in which a cluster never fired. */
async function listsOf(study: Study, from: readonly number[], { of, centroids }: Clustering, { tokens, alpha, share }: Wanted): Promise<Clusters["layers"]> {
  const counted = study.layers.map((l) => centroids.map(() => new CoreCounter(l.neurons, alpha)));
  await measure(study, from, tokens, (layer, h, piece) => counted[layer][of[piece]].add(h));
  const lists = study.layers.map((l, i) => [l.name, counted[i].map((c) => Uint16Array.from(c.ranked().subarray(0, coreSize(l.neurons, share))))] as const);
  return new Map(lists.filter(([, each]) => each.every((list) => list.length > 0)));
}

async function calibrate(study: Study, wanted: Wanted): Promise<{ clusters: Omit<Clusters, "model">; sizes: number[] }> {
  const { tokens, alpha } = wanted;
  const probe = probeOf(study);
  const at = study.layers.indexOf(probe);
  const top = Math.max(1, Math.round(TOP * probe.neurons));
  const from = piecesOf(study, tokens);
  const counted = Array.from({ length: from[from.length - 1] }, () => new CoreCounter(probe.neurons, alpha));
  await measure(study, from, tokens, (layer, h, piece) => layer === at && counted[piece].add(h));
  const found = cluster(
    counted.map((c) => c.ranked().subarray(0, top)),
    probe.neurons,
    wanted,
  );
  const layers = await listsOf(study, from, found, wanted);
  const centroids = found.centroids.map((c) => Uint8Array.from(c, (v) => Math.round(255 * v)));
  const sizes = centroids.map((_, c) => found.of.filter((o) => o === c).length);
  return { clusters: { probe: probe.name, neurons: probe.neurons, alpha, top, centroids, layers }, sizes };
}

export const calibrator: Calibrator = {
  name: "core",
  summary: "clusters of texts of `tokens` tokens and the core neurons of each, for mode core by the guide similar",
  settings: { clusters: 0, tokens: 64, alpha: ALPHA, share: 0.5, seed: 42 },
  complaint({ clusters, tokens, alpha, share, seed }) {
    if (!whole(clusters, 0, MOST_CLUSTERS)) return `clusters is ${clusters}, not 0 to ${MOST_CLUSTERS}`;
    if (!whole(tokens, 1, 512)) return `tokens is ${tokens}, not 1 to 512`;
    if (!isShare(alpha)) return `alpha is ${alpha}, not above 0 and at most 1`;
    if (!isShare(share)) return `share is ${share}, not above 0 and at most 1`;
    return whole(seed, 0, 2 ** 32 - 1) ? undefined : `seed is ${seed}, not a whole number below 2^32`;
  },
  async calibrate(study, settings) {
    const wanted = settings as unknown as Wanted;
    const { clusters, sizes } = await calibrate(study, wanted);
    return {
      layers: new Map(study.layers.map((l) => [l.name, { mode: isRelu(l) ? "exact" : "dense" }])),
      about: { ...wanted, clusters: sizes.length, pieces: sizes, probe: clusters.probe, layers: [...clusters.layers.keys()].map((layer) => ({ layer })) },
      clusters,
    };
  },
};
