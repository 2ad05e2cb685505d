// Body of a lane's worker in browsers: one lane of the walk (targets/devices/wasm/core.ts). Says "joined" once, then anything else is an error.
import { runLane } from "../../devices/wasm/core.ts";
import type { LaneInit } from "../host.ts";

self.onmessage = ({ data }: MessageEvent<LaneInit>) => {
  self.postMessage("joined");
  self.postMessage(runLane(data));
};
