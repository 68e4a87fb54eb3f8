import { ConfigError } from './errors.ts'

/** A number of bytes as people write it: `512`, `64kb`, `1mb`, `2GiB`. Units are powers of 1,024. */
export type ByteSize = string | number

const UNIT_BYTES: Readonly<Record<string, number>> = { b: 1, k: 1_024, m: 1_024 ** 2, g: 1_024 ** 3 }

/**
 * Bytes of a size.
 * @throws ConfigError for anything else than a non-negative whole number of bytes
 */
export function parseByteSize(size: ByteSize, place = 'size'): number {
  if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size
  const parts = /^(\d{1,15})\s*(?:(k|m|g)(?:i?b)?|b)?$/i.exec(String(size))
  const bytes =
    parts === null ? Number.NaN : Number(parts[1]) * (UNIT_BYTES[(parts[2] ?? 'b').toLowerCase()] ?? 1)
  if (Number.isSafeInteger(bytes)) return bytes
  throw new ConfigError({
    place,
    problem: `"${String(size).slice(0, 40)}" is not a size`,
    hint: 'write a number of bytes, or one with a unit: 64kb, 1mb',
  })
}
