// A UF2 file for the drive that the ROM of an RP2040 shows over USB: the chip takes it in block by block and starts it.
import { SkintError } from "../../../runtime/errors.ts";
import { readUf2, writeUf2 } from "../image/uf2.ts";
import type { FileProtocol } from "../protocol.ts";

const family = (id: string) => Number.parseInt(id, 16);

export const protocol: FileProtocol = {
  name: "uf2",
  title: "UF2 file on the boot ROM's drive",
  kind: "file",
  extension: "uf2",
  tried: "our reader of the format; never a board's drive",
  encode: (image, target) => writeUf2(image, family(target.id)),
  decode: (bytes, name, target) => {
    const image = readUf2(bytes, name);
    if (image.family !== family(target.id)) throw new SkintError("format.header", `${name} is not for the family ${target.id}`, { what: name });
    if (image.start % 256) throw new SkintError("format.header", `${name} begins at ${image.start}, in the middle of a page`, { what: name });
    return image;
  },
};
