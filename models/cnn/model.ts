// A chain of convolutions with ReLUs, then scores of classes: a linear of the mean over the image ("pool": "avg"), or of all that is left of it ("none").
//   config: "image" [height, width, channels], "layers" [{ outputs, size, stride }…], "pool", "classes"
// Weights as PyTorch names and stores them, [outputs, channels, size, size], and what a compressor wants beside them: `<layer>.range`, the greatest value
// that comes out of a layer, and `head.range`, the least and the greatest score.
import { ImageGraphBuilder, type Sides } from "../../runtime/graph/images.ts";
import type { Graph } from "../../runtime/graph/types.ts";
import type { Architecture, Config } from "../architecture.ts";
import { bad, choice, whole } from "../fields.ts";

const MOST_SIDE = 4096;
const MOST_CHANNELS = 4096;
const MOST_LAYERS = 256;
const MOST_WINDOW = 31;

function sides(config: Config): Sides {
  const v = config.image;
  const fits = Array.isArray(v) && v.length === 3 && v.every((s) => Number.isInteger(s) && s >= 1 && s <= MOST_SIDE);
  return fits ? (v as unknown as Sides) : bad("image", v, "[height, width, channels]");
}

function layers(config: Config): Config[] {
  const v = config.layers;
  if (!Array.isArray(v) || v.length < 1 || v.length > MOST_LAYERS || !v.every((l) => typeof l === "object" && l !== null)) bad("layers", v, `a list of 1 to ${MOST_LAYERS} layers`);
  return v;
}

function build(config: Config): Graph {
  const g = new ImageGraphBuilder();
  let x = g.input(sides(config), "f32");
  layers(config).forEach((layer, i) => {
    const size = whole(layer, "size", MOST_WINDOW);
    if (size % 2 === 0) bad(`layers.${i}.size`, size, "an odd number");
    x = g.conv(`layers.${i}`, x, whole(layer, "outputs", MOST_CHANNELS), { numbers: "f32", size, stride: whole(layer, "stride", 31, 1), relu: true });
  });
  if (choice(config, "pool", { avg: true, none: false }, "avg")) x = g.pool("pool", x, "avg", "global");
  const [height, width] = g.sides(x);
  if (height !== width || height > MOST_WINDOW) bad("image", config.image, `a square that its layers make ${MOST_WINDOW} wide or less, or a pool`);
  return g.finish("cnn", g.conv("head", x, whole(config, "classes", MOST_CHANNELS), { numbers: "f32", size: height, pad: 0 }));
}

export const architecture: Architecture = { name: "cnn", modelTypes: ["cnn"], sees: "images", build, locate: (weight) => [{ name: weight }] };
