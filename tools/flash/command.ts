// `skint flash`: images for boards.
import { SkintError } from "../../runtime/errors.ts";
import type { Verb } from "../verb.ts";
import { verb as build } from "./build.ts";

export const verb: Verb = {
  name: "flash",
  summary: "images for boards with an FPGA",
  description: "What has to do with the image of a board. So far it is made: skint flash build.",
  example: "skint flash build --board icebreaker",
  verbs: [build],
  async run() {
    throw new SkintError("usage", "say what to do: skint flash build --board <name> makes the image of a board");
  },
};
