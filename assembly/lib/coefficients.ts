// Numbers of the elementary functions, shared by math.scalar.ts and (as vectors, constants.ts) math.simd.ts.

/** 1.5 · 2^23: adding it rounds a small float to a whole number, half to even, and leaves that number in the low bits. */
export const ROUND: f32 = 12582912;

/** exp: e^r = 1 + r + r²·(C2 + … + C6 r⁴) for |r| ≤ ln 2 / 2, minimax, relative error 4.4e-9 before rounding. */
export const EXP_MAX: f32 = 89;
export const EXP_ZERO: f32 = -87.3;
export const LOG2E: f32 = 1.44269504;
/** ln 2 in two parts; the high one has 9 bits, so that its product with a whole number below 2^15 is exact. */
export const LN2_HIGH: f32 = 0.693359375;
export const LN2_LOW: f32 = -2.1219444e-4;
export const EXP_C2: f32 = 0.49999994;
export const EXP_C3: f32 = 0.1666652;
export const EXP_C4: f32 = 0.041668396;
export const EXP_C5: f32 = 0.0083687967;
export const EXP_C6: f32 = 0.0013814435;

/** tanh: x·P(x²) / Q(x²), |x| ≤ TANH_MAX (beyond it the result is ±1), the rational approximation of Eigen. */
export const TANH_MAX: f32 = 7.9053111;
export const TANH_P0: f32 = 4.89352455891786e-3;
export const TANH_P1: f32 = 6.37261928875436e-4;
export const TANH_P2: f32 = 1.48572235717979e-5;
export const TANH_P3: f32 = 5.12229709037114e-8;
export const TANH_P4: f32 = -8.60467152213735e-11;
export const TANH_P5: f32 = 2.00018790482477e-13;
export const TANH_P6: f32 = -2.76076847742355e-16;
export const TANH_Q0: f32 = 4.89352518554385e-3;
export const TANH_Q1: f32 = 2.268434632439e-3;
export const TANH_Q2: f32 = 1.18534705686654e-4;
export const TANH_Q3: f32 = 1.19825839466702e-6;

/** Normal distribution: Abramowitz & Stegun 7.1.26, erfc(z) = t·(A1 + … + A5 t⁴)·e^(−z²), t = 1/(1 + ERF_T z), z ≥ 0, absolute error 1.5e-7. */
export const ERF_T: f32 = 0.3275911;
export const ERF_A1: f32 = 0.254829592;
export const ERF_A2: f32 = -0.284496736;
export const ERF_A3: f32 = 1.421413741;
export const ERF_A4: f32 = -1.453152027;
export const ERF_A5: f32 = 1.061405429;
export const SQRT_HALF: f32 = 0.70710678;

/** gelu_tanh: 2·sqrt(2/π) and that times 0.044715. */
export const GELU_1: f32 = 1.5957691216;
export const GELU_3: f32 = 0.0713548162726;

/** 2^r = 1 + r·(D1 + … + D5 r⁴) for |r| ≤ 1/2, minimax, relative error 9.2e-8 before rounding; arguments below EXP2_LEAST count as that. */
export const EXP2_LEAST: f32 = -125;
export const EXP2_D1: f32 = 0.6931470036506653;
export const EXP2_D2: f32 = 0.24022242426872253;
export const EXP2_D3: f32 = 0.05550733581185341;
export const EXP2_D4: f32 = 0.009671512991189957;
export const EXP2_D5: f32 = 0.001326472731307149;

/** log(1 + u) = 2s + s³·(L0 + … + L3 s⁶) with s = u / (2 + u), 0 ≤ u ≤ 1, minimax, relative error 4.5e-9 before rounding. */
export const LOG1P_L0: f32 = 0.666664183139801;
export const LOG1P_L1: f32 = 0.4002152681350708;
export const LOG1P_L2: f32 = 0.28001806139945984;
export const LOG1P_L3: f32 = 0.2801198661327362;

/** A step of a code whose range is 1. */
export const INV_127: f32 = 0.007874015718698502;
