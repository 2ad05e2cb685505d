// Body of a worker thread of the Node host: one lane of the walk (targets/devices/wasm/core.ts).
import { parentPort, workerData } from "node:worker_threads";
import { runLane } from "../../devices/wasm/core.ts";

parentPort?.postMessage(runLane(workerData));
