// The public surface that every host hands on.
export { ERROR_CODES, type ErrorCode, type ErrorPlace, SkintError } from "./errors.ts";
export type { ImageModel, ImageModelOptions } from "./session/images/model.ts";
export type { ImageStream, LayerStats, StreamOptions } from "./session/images/stream.ts";
export type { Card, Model, ModelOptions } from "./session/model.ts";
export type { SampleOptions } from "./session/sample.ts";
export type { ScoreOptions } from "./session/score.ts";
export type { GenerateOptions, GenerateStats, Piece, Session } from "./session/session.ts";
export type { Tokenizer } from "./text/tokenizer.ts";
