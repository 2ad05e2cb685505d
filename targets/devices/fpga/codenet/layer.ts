// A layer of a network as CoDeNet's engine does it in one pass: a convolution and the depthwise half behind it, one of which may be absent.
import type { GraphNode } from "../../../../runtime/graph/types.ts";
import { DEEP_WORDS, SLICE } from "./pass.ts";

export interface Layer {
  readonly conv?: GraphNode;
  readonly deep?: GraphNode;
}

/** Words of a pixel. */
export const wordsOf = (channels: number): number => Math.ceil(channels / SLICE);
export const attrs = (node: GraphNode) => node.attrs as Record<string, number>;

/** Multiply-adds of a layer. */
export function macsOf({ conv, deep }: Layer): number {
  const c = conv && attrs(conv);
  const d = deep && attrs(deep);
  return (c ? c.oh * c.ow * c.outputs * c.size ** 2 * c.channels : 0) + (d ? d.oh * d.ow * d.channels * DEEP_WORDS : 0);
}
