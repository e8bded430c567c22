// Small Parquet files as Hugging Face's `datasets` writes them.
import { parquetWriteBuffer } from 'hyparquet-writer';

export interface ParquetRows {
  readonly images: readonly (Uint8Array | null)[];
  readonly labels: readonly number[];
  /** Default none: the file does not tell. */
  readonly names?: readonly string[];
  /** Rows of a row group; default all. */
  readonly rowGroupSize?: number;
}

/** A struct column "image" of bytes and path, an int64 column "label". */
export function parquetFile({ images, labels, names, rowGroupSize }: ParquetRows): Uint8Array {
  const label = names ? { names, _type: 'ClassLabel' } : { dtype: 'int64', _type: 'Value' };
  return new Uint8Array(
    parquetWriteBuffer({
      schema: [
        { name: 'schema', num_children: 2 },
        { name: 'image', repetition_type: 'OPTIONAL', num_children: 2 },
        { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
        { name: 'path', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL', converted_type: 'UTF8' },
        { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
      ],
      columnData: [
        { name: 'image', data: images.map((bytes, i) => ({ bytes, path: `${i}.png` })) },
        { name: 'label', data: labels.map(BigInt) },
      ],
      kvMetadata: [
        { key: 'huggingface', value: JSON.stringify({ info: { features: { image: { _type: 'Image' }, label } } }) },
      ],
      ...(rowGroupSize !== undefined && { rowGroupSize }),
    }),
  );
}
