// Goals of the kernels: how close they come to the machine, to other engines, and whether they are right.
import type { Area } from "../goal.ts";
import { goals as exact } from "../kernels/exact.ts";
import { goals as microbench } from "../kernels/microbench.ts";
import { goals as ort } from "../kernels/ort.ts";
import { goals as peers } from "../kernels/peers.ts";
import { goals as system } from "../kernels/system.ts";

export const area: Area = { name: "kernels", goals: [...microbench, ...ort, ...peers, ...system, ...exact] };
