// Clusters of texts with their cores: what is written is read, the nearest is found, and what does not fit the model is refused.
import { expect, test } from "vitest";
import { type Clusters, checkOrigin, formatClusters, nearestCluster, parseClusters, probeHash } from "../../runtime/cores/clusters.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";

const LAYERS = new Map([
  ["layers.0.ffn.down", 6],
  ["layers.1.ffn.down", 4],
]);
const PACKED = Uint8Array.of(1, 2, 3);
const CLUSTERS: Clusters = {
  model: probeHash(PACKED, sha256),
  probe: "layers.0.ffn.down",
  neurons: 6,
  alpha: 0.4,
  top: 2,
  centroids: [Uint8Array.of(255, 255, 0, 0, 0, 0), Uint8Array.of(0, 0, 128, 0, 255, 127)],
  layers: new Map([
    ["layers.0.ffn.down", [Uint16Array.of(1, 0, 5), Uint16Array.of(4, 2)]],
    ["layers.1.ffn.down", [Uint16Array.of(3), Uint16Array.of(2, 1)]],
  ]),
};

const changed = (change: (d: Record<string, unknown>) => void) => {
  const d = JSON.parse(formatClusters(CLUSTERS));
  change(d);
  return JSON.stringify(d);
};

test("what is written is read", () => {
  expect(parseClusters(formatClusters(CLUSTERS), LAYERS)).toEqual(CLUSTERS);
});

test.each([
  [[0, 1], 0],
  [[4, 2], 1],
  [[0, 4], 1], // 255² nearer by the smaller centroid
  [[3], 1],
] as const)("neurons %o are nearest to cluster %i", (top, want) => {
  const distance = (c: number) => CLUSTERS.centroids[c].reduce((sum, v, i) => sum + (v - ((top as readonly number[]).includes(i) ? 255 : 0)) ** 2, 0);
  expect(distance(want)).toBeLessThanOrEqual(distance(1 - want));
  expect(nearestCluster(CLUSTERS, top)).toBe(want);
});

test("of equally near clusters the first is taken", () => {
  expect(nearestCluster({ ...CLUSTERS, centroids: [CLUSTERS.centroids[1], CLUSTERS.centroids[1]] }, [0])).toBe(0);
});

test("clusters of other weights are refused", () => {
  expect(() => checkOrigin(CLUSTERS, PACKED, sha256)).not.toThrow();
  expect(() => checkOrigin(CLUSTERS, Uint8Array.of(1, 2, 4), sha256)).toThrow(expect.objectContaining({ code: "format.hash", place: { what: "skint.cores" } }));
});

test.each<[string, (d: Record<string, unknown>) => void]>([
  ["no SHA-256", (d) => (d.model = "abc")],
  ["another layer to probe", (d) => (d.probe = "layers.7.ffn.down")],
  ["another number of neurons", (d) => (d.neurons = 8)],
  ["an alpha of 0", (d) => (d.alpha = 0)],
  ["an alpha above 1", (d) => (d.alpha = 1.5)],
  ["an alpha that is text", (d) => (d.alpha = "0.4")],
  ["a top of 0", (d) => (d.top = 0)],
  ["a top beyond the neurons", (d) => (d.top = 7)],
  ["no centroid", (d) => (d.centroids = [])],
  ["a short centroid", (d) => ((d.centroids as string[])[0] = "ff00")],
  ["a centroid that is not hex", (d) => ((d.centroids as string[])[0] = "xx0000000000")],
  ["a layer that the model has not", (d) => ((d.layers as Record<string, unknown>)["layers.9.ffn.down"] = ["0000", "0001"])],
  ["a list too few", (d) => ((d.layers as Record<string, unknown>)["layers.1.ffn.down"] = ["0000"])],
  ["an empty list", (d) => ((d.layers as Record<string, unknown>)["layers.1.ffn.down"] = ["0000", ""])],
  ["a neuron out of range", (d) => ((d.layers as Record<string, unknown>)["layers.1.ffn.down"] = ["0004", "0000"])],
  ["a neuron twice", (d) => ((d.layers as Record<string, unknown>)["layers.1.ffn.down"] = ["00010001", "0000"])],
  ["layers in an array", (d) => (d.layers = [])],
])("%s is refused", (_, change) => {
  expect(() => parseClusters(changed(change), LAYERS)).toThrow(expect.objectContaining({ code: "format.header" }));
});

test.each(["", "[]", "null", "{"])("the text %j is refused", (text) => {
  expect(() => parseClusters(text, LAYERS)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^format\.(header|version)$/) }));
});

test("another version is refused", () => {
  expect(() =>
    parseClusters(
      changed((d) => {
        d.version = 2;
      }),
      LAYERS,
    ),
  ).toThrow(expect.objectContaining({ code: "format.version" }));
});
