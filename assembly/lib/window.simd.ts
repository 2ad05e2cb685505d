// The panel `windows` (runtime/act/i8tok.ts): codes [codes, + kp), 8 at a time, as the 16 bytes that 2:4 kernels gather from.
import { WINDOW_ORDER } from "./constants";

export function windows(codes: usize, kp: usize, p: usize): void {
  const order = v128.load(WINDOW_ORDER);
  for (const end = codes + kp; codes < end; codes += 8) {
    v128.store(p, i8x16.swizzle(v128.load64_zero(codes), order));
    p += 16;
  }
}
