import type { Json } from '@postern/core'

/**
 * `id`, `ids`, `orderIds`, `order_ids`, `items`: any list counts, and so does a name
 * that says that several are meant.
 */
const LIST_TEXT = /(?:^|_)ids?$|Ids?$|^ids?$/
const MAX_DEPTH = 32

/**
 * How many things a body names: the longest of its lists, or of its texts of several ids (`{"ids":
 * "1,2,3"}`); at least 1. An object whose names are numbers is a list: PHP and some clients write lists so.
 * Lists inside lists add up, for each of their things may be changed. Depth is bounded; what lies deeper
 * counts as its list does.
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
  let numbered = 0
  for (const [name, item] of Object.entries(value)) {
    const own = typeof item === 'string' && LIST_TEXT.test(name) ? idsIn(item) : largest(item, depth + 1)
    most = Math.max(most, own)
    if (/^\d{1,10}$/.test(name)) numbered += Math.max(1, own)
  }
  return Math.max(most, numbered)
}

/** How many ids a text holds, whatever stands between them: `1,2,3`, `1;2;3`, `1|2|3`, `1 2 3`. */
export function idsIn(text: string): number {
  return text.split(/[,;|\s]+/).filter(id => id !== '').length
}

function isList(value: Exclude<Json, string | number | boolean | null>): value is readonly Json[] {
  return Array.isArray(value)
}
