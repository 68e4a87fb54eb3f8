import type { Json } from '@postern/core'

/**
 * `id`, `ids`, `orderIds`, `order_ids`, `items`: any list counts, and so does a name
 * that says that several are meant.
 */
const LIST_TEXT = /(?:^|_)ids?$|Ids?$|^ids?$/
const MAX_DEPTH = 32

/**
 * How many things a body names: the longest of its lists, or of its texts of ids joined by commas (`{"ids":
 * "1,2,3"}`); at least 1. Lists inside lists add up, for each of their things may be changed. Depth is
 * bounded; what lies deeper counts as its list does.
 */
export function countIds(body: Json): number {
  return Math.max(1, largest(body, 0))
}

function largest(value: Json, depth: number): number {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return 0
  if (isList(value)) {
    let nested = 0
    for (const item of value) nested += largest(item, depth + 1)
    return Math.max(value.length, nested)
  }
  let most = 0
  for (const [name, item] of Object.entries(value)) {
    const own =
      typeof item === 'string' && LIST_TEXT.test(name) ? item.split(',').length : largest(item, depth + 1)
    most = Math.max(most, own)
  }
  return most
}

function isList(value: Exclude<Json, string | number | boolean | null>): value is readonly Json[] {
  return Array.isArray(value)
}
