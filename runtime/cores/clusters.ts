// Clusters of texts and the cores that go with each, for prompts too short to show their own (similarity-guided CoreInfer, specs/coreinfer.md §5). In a pack
// they are the document `cores`, a JSON object:
//   version 1 | model: SHA-256 of the weights they were counted with (`probeHash`) | probe: layer whose neurons tell texts apart | neurons: n of each layer
//   alpha: as counted | top: how many neurons of a text's probe layer, best first, are compared
//   centroids: a text a cluster, two hex digits a neuron: share of the cluster's texts that have it among these, · 255
//   layers: name → a text a cluster, four hex digits an entry: its neurons, best first
import { SkintError } from "../errors.ts";
import type { HasherFactory } from "../io/hash.ts";

export const CLUSTERS_VERSION = 1;

export interface Clusters {
  /** What `probeHash` gives for the model. */
  readonly model: string;
  /** A name of `engine.ffn.names`. */
  readonly probe: string;
  readonly neurons: number;
  /** Share of a token's firing neurons that was counted, (0, 1]. */
  readonly alpha: number;
  readonly top: number;
  /** [c] of u8 [neurons]. */
  readonly centroids: readonly Uint8Array[];
  /** Name of a layer → [c] lists, best first; numbers of neurons, none twice. */
  readonly layers: ReadonlyMap<string, readonly Uint16Array[]>;
}

/** Most neurons of a layer: entries are u16. */
const MOST_NEURONS = 65536;
/** Most clusters: texts are told apart by topic, not one by one. */
const MOST_CLUSTERS = 256;

/** Identity of the weights: SHA-256 of the packed bytes, padding included, of the probe layer's last matrix as they lie in the pack. */
export function probeHash(packed: Uint8Array, sha256: HasherFactory): string {
  const hash = sha256();
  hash.update(packed);
  return hash.digest();
}

/** As JSON. */
export function formatClusters({ layers, centroids, ...rest }: Clusters): string {
  return JSON.stringify({
    version: CLUSTERS_VERSION,
    ...rest,
    centroids: centroids.map((row) => hexOf(row, 2)),
    layers: Object.fromEntries([...layers].map(([name, lists]) => [name, lists.map((list) => hexOf(list, 4))])),
  });
}

const hexOf = (values: ArrayLike<number>, digits: number) => Array.from(values, (v) => v.toString(16).padStart(digits, "0")).join("");

const refuse = (why: string): never => {
  throw new SkintError("format.header", `the document skint.cores is malformed: ${why}; write the file again with skint compress`, { what: "skint.cores" });
};

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null && !Array.isArray(v);

/**
 * Reads the document and checks it against the model's feed-forward layers, name → neurons. Throws `format.version`; `format.header` for what is
 * malformed, out of range, or twice in a list.
 */
export function parseClusters(text: string, layers: ReadonlyMap<string, number>): Clusters {
  const d = documentOf(text);
  if (d.version !== CLUSTERS_VERSION)
    throw new SkintError("format.version", `the document skint.cores has version ${String(d.version).slice(0, 20)}, this build reads ${CLUSTERS_VERSION}; update Skint`, {
      what: "skint.cores",
    });
  if (typeof d.model !== "string" || !/^[0-9a-f]{64}$/.test(d.model)) return refuse("model is no SHA-256");
  const n = typeof d.probe === "string" ? layers.get(d.probe) : undefined;
  if (n === undefined || n > MOST_NEURONS) return refuse(`the model has no feed-forward layer ${String(d.probe).slice(0, 80)} of at most ${MOST_NEURONS} neurons`);
  if (d.neurons !== n) return refuse(`it is for ${d.neurons} neurons, layer ${d.probe} has ${n}`);
  if (!(typeof d.alpha === "number" && d.alpha > 0 && d.alpha <= 1)) return refuse(`alpha is ${d.alpha}, not above 0 and at most 1`);
  if (!(Number.isInteger(d.top) && (d.top as number) >= 1 && (d.top as number) <= n)) return refuse(`top is ${d.top}, not 1 to ${n}`);
  const centroids = centroidsOf(d.centroids, n);
  return { model: d.model, probe: d.probe as string, neurons: n, alpha: d.alpha, top: d.top as number, centroids, layers: listsOf(d.layers, centroids.length, layers) };
}

function documentOf(text: string): Record<string, unknown> {
  let d: unknown;
  try {
    d = JSON.parse(text);
  } catch {
    return refuse("it is not JSON");
  }
  return isObject(d) ? d : refuse("it is no object");
}

/** Whole numbers of so many hex digits each, or undefined. */
function numbersOf(hex: unknown, digits: number): number[] | undefined {
  if (typeof hex !== "string" || hex.length % digits !== 0 || !/^[0-9a-f]*$/.test(hex)) return undefined;
  return Array.from({ length: hex.length / digits }, (_, i) => Number.parseInt(hex.slice(i * digits, (i + 1) * digits), 16));
}

function centroidsOf(given: unknown, n: number): Uint8Array[] {
  if (!Array.isArray(given) || given.length === 0 || given.length > MOST_CLUSTERS) return refuse(`there are not 1 to ${MOST_CLUSTERS} centroids`);
  return given.map((hex, c) => {
    const row = numbersOf(hex, 2);
    return row?.length === n ? Uint8Array.from(row) : refuse(`centroid ${c} is not ${n} times two hex digits`);
  });
}

function listsOf(given: unknown, clusters: number, layers: ReadonlyMap<string, number>): Map<string, Uint16Array[]> {
  if (!isObject(given)) return refuse("layers is no object");
  const found = new Map<string, Uint16Array[]>();
  for (const [name, lists] of Object.entries(given)) {
    const n = layers.get(name);
    if (n === undefined) return refuse(`the model has no feed-forward layer ${name.slice(0, 80)}`);
    if (!Array.isArray(lists) || lists.length !== clusters) return refuse(`layer ${name} has not one list a cluster`);
    found.set(
      name,
      lists.map((hex, c) => listOf(hex, n, `list ${c} of layer ${name}`)),
    );
  }
  return found;
}

function listOf(hex: unknown, n: number, what: string): Uint16Array {
  const list = numbersOf(hex, 4);
  if (!list?.length || !list.every((i) => i < n)) return refuse(`${what} is not four hex digits each for neurons from 0 to ${n - 1}`);
  return new Set(list).size === list.length ? Uint16Array.from(list) : refuse(`${what} names a neuron twice`);
}

/** Throws `format.hash` if the clusters were counted with other weights than these (see `probeHash`). */
export function checkOrigin(clusters: Clusters, packed: Uint8Array, sha256: HasherFactory): void {
  const hash = probeHash(packed, sha256);
  if (hash === clusters.model) return;
  throw new SkintError(
    "format.hash",
    `the clusters of cores belong to other weights: ${clusters.probe} hashes to ${hash.slice(0, 16)}…, they were counted with ${clusters.model.slice(0, 16)}…; compress the model again`,
    { what: "skint.cores" },
  );
}

/** Number of the cluster nearest to a text with these neurons on top of its probe layer: least ‖e − centroid‖² in whole numbers, the first of equals. */
export function nearestCluster({ centroids }: Clusters, top: ArrayLike<number>): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  centroids.forEach((row, c) => {
    let distance = 0;
    for (const v of row) distance += v * v;
    for (let i = 0; i < top.length; i++) distance -= 2 * 255 * row[top[i]];
    if (distance < least) [best, least] = [c, distance];
  });
  return best;
}
