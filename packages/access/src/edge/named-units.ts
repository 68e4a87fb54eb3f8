import type { Exchange, Json } from '@postern/core'
import { countIds } from './count-ids.ts'

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?(?:json|graphql-response\+json)\b/i
/** Types under which backends are known to parse JSON nevertheless; absent too. */
const LOOSE_TYPE = /^(?:text\/(?:plain|json)|application\/(?:x-json|octet-stream|javascript))?(?:;|$)/i
const FORM_TYPE = /^application\/x-www-form-urlencoded\b/i
const MULTIPART_TYPE = /^multipart\/form-data\b/i

/** Whether a request brings JSON, by its label. */
export function hasJsonBody(exchange: Exchange): boolean {
  return exchange.hasBody && JSON_TYPE.test(exchange.header('content-type') ?? '')
}

/** `id`, `ids`, `order_id`, `orderIds`; also in brackets or behind dots: `filter[id][]`, `items[0].id`. */
const ID_NAME = /(?:^|[_-])ids?$|Ids?$/

/** Whether a parameter names things by their ids. */
function isIdName(name: string): boolean {
  const word = name.split(/[[\].]+/).findLast(part => part !== '' && !/^\d+$/.test(part))
  return word !== undefined && ID_NAME.test(word)
}

function idsOf(pairs: Iterable<readonly [string, string]>): number {
  let count = 0
  for (const [name, value] of pairs) if (isIdName(name)) count += value.split(',').length
  return count
}

/** `?id=1&id=2`, `?ids=1,2`; at least 1. */
export function idsInQuery(exchange: Exchange): number {
  const mark = exchange.source.target.indexOf('?')
  if (mark < 0) return 1
  return Math.max(1, idsOf(new URLSearchParams(exchange.source.target.slice(mark + 1))))
}

/** JSON in UTF-8, with a byte order mark or without; undefined for anything else. */
export function parseBody(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

/**
 * How many things a request names, in its query or its body; at least 1. A body counts as JSON also where its
 * label is wrong or absent and its bytes are JSON; as a form where its label says so, for without it nobody
 * reads one. Of a multipart body that is too long to be read whole, the part that was read counts.
 * @returns undefined when such a body cannot be read whole, so that nobody knows
 */
export async function namedUnits(exchange: Exchange): Promise<number | undefined> {
  const inQuery = idsInQuery(exchange)
  if (!exchange.hasBody) return inQuery
  const type = exchange.header('content-type')?.trim() ?? ''
  const isForm = FORM_TYPE.test(type)
  const isMultipart = MULTIPART_TYPE.test(type)
  const isJson = JSON_TYPE.test(type)
  if (!isForm && !isMultipart && !isJson && !LOOSE_TYPE.test(type)) return inQuery
  const { bytes, complete } = await exchange.readBody()
  if (bytes.length === 0 && complete) return inQuery
  const isLabelled = isJson || isForm || isMultipart
  if (!isLabelled && !opensJson(bytes)) return inQuery
  // A large upload is no mass change; its fields usually come before its files.
  if (isMultipart) return Math.max(inQuery, idsInParts(Buffer.from(bytes).toString('utf8')))
  if (!complete) return undefined
  if (isForm) return Math.max(inQuery, idsOf(new URLSearchParams(Buffer.from(bytes).toString('utf8'))))
  const body = parseBody(bytes)
  if (body === undefined) return isJson ? undefined : inQuery
  return Math.max(countIds(body), inQuery)
}

/** Whether bytes begin as an object or a list of JSON does. */
function opensJson(bytes: Uint8Array): boolean {
  const first = bytes.find(byte => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf)
  return first === 0x7b || first === 0x5b
}

const DISPOSITION = /^content-disposition:[^\r\n]{0,1024}/gim
const FIELD_NAME = /;\s*name="?([^";\r\n]{0,256})/i
const EMPTY_LINE = /\r?\n\r?\n/
/** Characters of a part's headers, from the one with its name on. */
const MAX_PART_HEAD = 2_048

/**
 * Ids in the fields of a multipart body (RFC 7578). Every line that names a field counts, whatever the
 * boundary is said to be; a text goes up to the end of its line. One pass: what was read is not read again.
 */
function idsInParts(text: string): number {
  const lines = new RegExp(DISPOSITION)
  const pairs: (readonly [string, string])[] = []
  for (let match = lines.exec(text); match !== null; match = lines.exec(text)) {
    const name = FIELD_NAME.exec(match[0])?.[1]
    const empty = EMPTY_LINE.exec(text.slice(lines.lastIndex, lines.lastIndex + MAX_PART_HEAD))
    if (name === undefined || empty === null) continue
    const start = lines.lastIndex + empty.index + empty[0].length
    const end = text.indexOf('\n', start)
    const value = text.slice(start, end < 0 ? undefined : end)
    lines.lastIndex = start + value.length
    pairs.push([name, value.trimEnd()])
  }
  return idsOf(pairs)
}
