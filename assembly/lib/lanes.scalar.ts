// Float sums in the order every build keeps: element j goes to lane j mod 4, a tail too; lanes are combined (l0 + l1) + (l2 + l3).

/** Σ x[j], x f32 [k]. */
export function sum(x: usize, k: u32): f32 {
  const end = x + ((<usize>k) << 2);
  let l0: f32 = 0;
  let l1: f32 = 0;
  let l2: f32 = 0;
  let l3: f32 = 0;
  for (; x + 16 <= end; x += 16) {
    l0 += load<f32>(x);
    l1 += load<f32>(x, 4);
    l2 += load<f32>(x, 8);
    l3 += load<f32>(x, 12);
  }
  if (x < end) l0 += load<f32>(x);
  if (x + 4 < end) l1 += load<f32>(x, 4);
  if (x + 8 < end) l2 += load<f32>(x, 8);
  return l0 + l1 + (l2 + l3);
}

/** Σ x[j]², x f32 [k]. */
export function sumOfSquares(x: usize, k: u32): f32 {
  const end = x + ((<usize>k) << 2);
  let l0: f32 = 0;
  let l1: f32 = 0;
  let l2: f32 = 0;
  let l3: f32 = 0;
  for (; x + 16 <= end; x += 16) {
    l0 += square(x);
    l1 += square(x + 4);
    l2 += square(x + 8);
    l3 += square(x + 12);
  }
  if (x < end) l0 += square(x);
  if (x + 4 < end) l1 += square(x + 4);
  if (x + 8 < end) l2 += square(x + 8);
  return l0 + l1 + (l2 + l3);
}

function square(x: usize): f32 {
  const v = load<f32>(x);
  return v * v;
}
