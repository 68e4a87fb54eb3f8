import { ConfigError } from '../error/errors.ts'

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
    hint: wholeSize(String(size)) ?? 'write a number of bytes, or one with a unit: 64kb, 1mb',
  })
}

/** How a size with a fraction is written: `1.5mb` as `1536kb`. */
function wholeSize(size: string): string | undefined {
  const parts = /^(\d{1,6}[.,]\d{1,6})\s*(k|m|g)(?:i?b)?$/i.exec(size)
  if (parts === null) return undefined
  const unit = (parts[2] ?? '').toLowerCase()
  const bytes = Math.round(Number(parts[1]?.replace(',', '.')) * (UNIT_BYTES[unit] ?? 1))
  return `write whole numbers: ${bytes % 1_024 === 0 ? `${bytes / 1_024}kb` : bytes}`
}
