// y = x Wᵀ (+ bias) (+ residual); W q8, x u7tok with panel pairs, which holds codes less zero point: the rest is gemv/q8.
export { kernel } from "./q8.simd";
