// The areas that have goals, in the order they are measured.
import type { Area } from "./goal.ts";
import { area as slice } from "./slice.ts";

export const AREAS: readonly Area[] = [slice];
