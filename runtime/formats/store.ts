// What a model's weights are read from, whatever the file format: named tensors, read as raw bytes or as f32 rows.

export interface StoredTensor {
  readonly name: string;
  /** The format's own name of the element type. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface TensorStore {
  /** File or folder, for messages. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Fills `into` from byte `offset` of the tensor. */
  readBytes(tensor: string, offset: number, into: Uint8Array): Promise<void>;
  /**
   * Rows [row, row + rows) converted to f32 into out[0, rows × row length). A row is one index of the first dimension; a scalar is one row of one.
   * Throws `format.dtype` for element types that are no weights here, `model.tensor` for a name that is not there.
   */
  readF32(tensor: string, row: number, rows: number, out: Float32Array): Promise<void>;
  close(): Promise<void>;
}
