// What ops with a state share: their steps are cut by channels, as each token needs the one before it.
import { BLOCK_ROWS } from "../quant/scheme.ts";
import type { Attributes } from "./define.ts";

/** Blocks of 16 channels. */
export const channelBlocks = (a: Attributes): number => Math.ceil(a.channels / BLOCK_ROWS);
