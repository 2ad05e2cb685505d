// As gemv/q8_u7tok, with the weights unpacked once for 4 tokens. Same bits.
export { kernel } from "./q8.simd";
