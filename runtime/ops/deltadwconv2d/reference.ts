// Reference of `deltadwconv2d`; bit-exact. It is dwconv2d, as the ways there differ in nothing but their work: outputs that were those of the image before
// must be those of this one.
export { reference } from "../dwconv2d/reference.ts";
