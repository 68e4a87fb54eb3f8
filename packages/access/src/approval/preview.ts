import { ConfigError, canonicalJson, type Json } from '@postern/core'
import type { ApprovalPreview } from './approval.ts'

const MAX_TABLES = 50
const MAX_SAMPLE = 20
const MAX_BYTES = 32_768
const MAX_SUMMARY = 500
const MAX_BODY = 5_000

/**
 * A preview within bounds: 20 rows and 32 KiB of sample at most, cut at whole rows. Counts are never cut: a
 * request that would change more tables than are shown must not look smaller than it is.
 * @throws ConfigError for more than 50 tables, or a count that is not a count
 */
export function boundPreview({ summary, rows, sample, body }: ApprovalPreview): ApprovalPreview {
  const tables = Object.entries(rows ?? {})
  if (tables.length > MAX_TABLES)
    throw new ConfigError({ place: 'approval preview', problem: `it names more than ${MAX_TABLES} tables` })
  for (const [table, count] of tables)
    if (!Number.isSafeInteger(count) || count < 0)
      throw new ConfigError({
        place: `approval preview: rows of "${table}"`,
        problem: 'it is not a count',
        hint: 'give a whole number, 0 or more',
      })
  const kept: Json[] = []
  let bytes = 0
  for (const row of (sample ?? []).slice(0, MAX_SAMPLE)) {
    bytes += Buffer.byteLength(canonicalJson(row))
    if (bytes > MAX_BYTES) break
    kept.push(row)
  }
  return {
    ...(summary !== undefined && { summary: summary.slice(0, MAX_SUMMARY) }),
    ...(tables.length > 0 && { rows: Object.fromEntries(tables) }),
    ...(kept.length > 0 && { sample: kept }),
    ...(body !== undefined && { body: body.slice(0, MAX_BODY).toWellFormed() }),
  }
}
