import { type Exchange, type Json, multipartTexts } from '@postern/core'
import { countIds, idsIn } from './count-ids.ts'

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?(?:json|graphql-response\+json)\b/i
/** Types under which backends are known to parse JSON nevertheless; absent too. */
const LOOSE_TYPE = /^(?:text\/(?:plain|json)|application\/(?:x-json|octet-stream|javascript))?(?:;|$)/i
const FORM_TYPE = /^application\/x-www-form-urlencoded\b/i
const MULTIPART_TYPE = /^multipart\/form-data\b/i

/**
 * How a body is to be read, by its label; `loose` where backends are known to look for JSON although its
 * label says something else. Undefined for everything in which nobody looks for names.
 */
export function bodyFormat(type: string): 'json' | 'form' | 'multipart' | 'loose' | undefined {
  if (JSON_TYPE.test(type)) return 'json'
  if (FORM_TYPE.test(type)) return 'form'
  if (MULTIPART_TYPE.test(type)) return 'multipart'
  return LOOSE_TYPE.test(type) ? 'loose' : undefined
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
  for (const [name, value] of pairs) if (isIdName(name)) count += Math.max(1, idsIn(value))
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
 * reads one. Of a multipart body that is too long to be read whole, the part that was read counts. Content
 * codings are undone.
 * @returns undefined when such a body cannot be read whole, so that nobody knows
 */
export async function namedUnits(exchange: Exchange): Promise<number | undefined> {
  const inQuery = idsInQuery(exchange)
  if (!exchange.hasBody) return inQuery
  const format = bodyFormat(exchange.header('content-type')?.trim() ?? '')
  if (format === undefined) return inQuery
  const decoded = await exchange.readDecodedBody()
  if (decoded === undefined) return undefined
  const { bytes, complete } = decoded
  if (bytes.length === 0 && complete) return inQuery
  if (format === 'loose' && !opensJson(bytes)) return inQuery
  // A large upload is no mass change; its fields usually come before its files.
  if (format === 'multipart')
    return Math.max(inQuery, idsOf(multipartTexts(Buffer.from(bytes).toString('utf8'))))
  if (!complete) return undefined
  if (format === 'form')
    return Math.max(inQuery, idsOf(new URLSearchParams(Buffer.from(bytes).toString('utf8'))))
  const body = parseBody(bytes)
  if (body === undefined) return format === 'json' ? undefined : inQuery
  return Math.max(countIds(body), inQuery)
}

/** Whether bytes begin as an object or a list of JSON does. */
function opensJson(bytes: Uint8Array): boolean {
  const first = bytes.find(byte => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf)
  return first === 0x7b || first === 0x5b
}
