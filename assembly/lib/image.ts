// Images in memory (runtime/image/format.ts): pixels of whole vectors of 16 channels, the byte of zero outside.

/** Bytes of a pixel of `channels` channels. */
export function pixelBytes(channels: u32): usize {
  return (<usize>channels + 15) & ~15;
}

/** Dilation of output number `pixel`: its stored byte plus 128, at most 7; pixels of a map of one channel are 16 bytes. */
export function dilationAt(map: usize, pixel: u32): u32 {
  return min<u32>(<u32>(<i32>load<i8>(map + ((<usize>pixel) << 4)) + 128), 7);
}
