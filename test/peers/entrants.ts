// Who plays in which contest, as data. An engine more is a line here and a file in players/.
import { LIBRARY } from "./llama.ts";
import { peerFile } from "./peers.ts";
import { openSkintPage, openWllamaPage, type WllamaRelease } from "./players/browser.ts";
import { openDriver } from "./players/llama-driver.ts";
import { type Player, startScript, type Work } from "./players/player.ts";
import type { Stage } from "./stage.ts";

export interface Entrant {
  readonly id: string;
  /** Why it cannot play on this Node, if so. */
  readonly lacks?: string;
  /** A peer that is not installed throws `file.missing` or `device.unavailable`. */
  open(stage: Stage, threads: number): Promise<Player>;
}

/** Whether an entrant is not ours. */
export const isPeer = ({ id }: { readonly id: string }): boolean => !id.startsWith("skint");

/** Entrants that take turns in one run. */
export interface Contest {
  readonly name: string;
  readonly threads: number;
  /** Each work gives one figure, by its name: tokens a second of decoding if it decodes, else of reading the prompt. */
  readonly works: Readonly<Record<string, Work>>;
  readonly rounds: number;
  readonly entrants: readonly Entrant[];
}

interface SkintOptions {
  readonly recipe: string;
  readonly isa?: string;
  /** A flag of the engine, and the first Node that has it. */
  readonly flag?: { readonly name: string; readonly since: number };
}

const REVECTORIZE = { name: "--experimental-wasm-revectorize", since: 22 };

function skintInNode(id: string, { recipe, isa = "auto", flag }: SkintOptions): Entrant {
  const { node } = process.versions;
  const old = flag && Number(node.split(".")[0]) < flag.since;
  return {
    id,
    ...(old ? { lacks: `Node ${node} has no ${flag.name}; run this with Node ${flag.since} or later` } : {}),
    open: async (stage, threads) => startScript(id, "skint-node.ts", [await stage.pack(recipe), String(threads), isa], flag ? [flag.name] : []),
  };
}

/** llama.cpp on the stage's GGUF file. */
export const LLAMA: readonly Entrant[] = [
  { id: "llama.cpp driver", open: async (stage, threads) => openDriver(await stage.gguf(), threads) },
  {
    id: "llama.cpp api",
    async open(stage, threads) {
      peerFile(LIBRARY);
      return startScript("llama.cpp api", "llama-api.ts", [await stage.gguf(), String(threads)]);
    },
  },
];

const WLLAMA: readonly WllamaRelease[] = [
  { id: "wllama3", folder: "@wllama/wllama", major: 3 },
  { id: "wllama2", folder: "wllama2", major: 2 },
];

const pages: readonly Entrant[] = [
  { id: "skint page int4", open: (stage, threads) => openSkintPage(stage, "int4", threads) },
  ...WLLAMA.map((release): Entrant => ({ id: release.id, open: (stage, threads) => openWllamaPage(stage, release, threads) })),
];

const LONG = { decode: { prompt: 128, decode: 128 }, prefill: { prompt: 512, decode: 0 } };
/** wllama decodes some ten tokens a second. */
const SHORT = { decode: { prompt: 32, decode: 24 } };

const recipes = ["int4", "w4", "source"].map((recipe) => skintInNode(`skint ${recipe}`, { recipe }));
const single = [skintInNode("skint int4 simd", { recipe: "int4", isa: "simd" }), skintInNode("skint int4 revectorize", { recipe: "int4", flag: REVECTORIZE })];

export const CONTESTS: readonly Contest[] = [
  { name: "native-1t", threads: 1, works: LONG, rounds: 7, entrants: [...LLAMA, ...recipes, ...single] },
  { name: "native-2t", threads: 2, works: LONG, rounds: 7, entrants: [...LLAMA, ...recipes] },
  { name: "browser-1t", threads: 1, works: SHORT, rounds: 5, entrants: pages },
  { name: "browser-2t", threads: 2, works: SHORT, rounds: 5, entrants: pages },
];
