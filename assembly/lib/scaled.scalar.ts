// How the rows of activations that scalar products read in groups of 32 differ: whether a group has a scale of its own.
import { GROUP_WORDS, SCALE_AT, TOKEN_WORDS } from "./i8row";

/** A class without fields; changetype<R>(0) calls its methods. */
export interface Row {
  /** Bytes of a group's words. */
  words(): usize;
  /** part (· scale of the group whose words are at z). */
  scaled(part: f32, z: usize): f32;
}

/** i8tok. */
export class TokenRow implements Row {
  words(): usize {
    return TOKEN_WORDS;
  }
  scaled(part: f32, _z: usize): f32 {
    return part;
  }
}

/** i8g32. */
export class GroupRow implements Row {
  words(): usize {
    return GROUP_WORDS;
  }
  scaled(part: f32, z: usize): f32 {
    return part * load<f32>(z, SCALE_AT);
  }
}
