// How a vector product walks its work. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { start } from "./split";

/** Products of one layout with one kind of dot. Classes without fields stand for the choice: changetype<P>(0) calls their methods. */
export interface Product {
  /** 16 rows, block b, of one token. */
  block(op: LinearOp, b: u32, token: u32): void;
  /** The same rows, all of them below n, of a tile of tokens from `token` on, with the weights unpacked once. Same bits. */
  tile(op: LinearOp, b: u32, token: u32): void;
}

/** `gemv`: streams the weights, again for each token. */
export function stream<P extends Product>(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const product = changetype<P>(0);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const end = start(unit + 1, units, blocks);
  for (let b = start(unit, units, blocks); b < end; b++) for (let t: u32 = 0; t < tokens; t++) product.block(op, b, t);
}

/** `gemm`: tiles of 4 tokens. */
export function tiled<P extends Product>(p: usize, unit: u32, units: u32): void {
  tiledBy<P>(p, unit, units, 4);
}

/** `gemm`: tiles of `many` tokens; rows of a block that reaches beyond n are done one token at a time. */
export function tiledBy<P extends Product>(p: usize, unit: u32, units: u32, many: u32): void {
  const op = changetype<LinearOp>(p);
  const product = changetype<P>(0);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const end = start(unit + 1, units, blocks);
  for (let b = start(unit, units, blocks); b < end; b++) {
    let t: u32 = 0;
    if ((b << 4) + 16 <= op.n) for (; t + many <= tokens; t += many) product.tile(op, b, t);
    for (; t < tokens; t++) product.block(op, b, t);
  }
}
