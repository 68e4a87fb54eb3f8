import type { RawHeaders } from '@postern/core'
import { mayBePlanted } from './planted-cookies.ts'

/** What one pass over the headers finds in the head of a request. */
export interface RequestHead {
  /** Bytes of all names and values. */
  readonly bytes: number
  readonly count: number
  /** The longest single value, in characters, and its name as sent. */
  readonly longest: number
  readonly longestName: string
  readonly hosts: number
  readonly host: string | undefined
  readonly authority: string | undefined
  readonly contentLengths: readonly string[]
  readonly transferEncoding: string | undefined
  readonly contentTypes: readonly string[]
  /** The first header that asks the backend to treat the request as another one, with its value. */
  readonly override: { readonly name: string; readonly value: string } | undefined
  /** Whether a subdomain may have set one of the cookies. */
  readonly hasPlantedCookie: boolean
}

const NONE: readonly string[] = Object.freeze([])

/** Headers that some frameworks obey instead of the path of the request line. */
const OVERRIDES: ReadonlySet<string> = new Set(['x-original-url', 'x-original-uri', 'x-rewrite-url'])

/** Reads the head in one pass, without allocating for headers that no rule asks about. */
export function readRequestHead(headers: RawHeaders): RequestHead {
  let bytes = 0
  let longest = 0
  let longestName = ''
  let hosts = 0
  let host: string | undefined
  let authority: string | undefined
  let contentLengths = NONE
  let transferEncoding: string | undefined
  let contentTypes = NONE
  let override: RequestHead['override']
  let hasPlantedCookie = false
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    const value = headers[i + 1] as string
    bytes += name.length + value.length
    if (value.length > longest) {
      longest = value.length
      longestName = name
    }
    if (!isRelevant(name)) continue
    // Every request has this one, mostly in this spelling.
    const lower = name === 'Host' ? 'host' : name.toLowerCase()
    switch (lower) {
      case 'host':
        hosts++
        host ??= value
        break
      case ':authority':
        authority ??= value
        break
      case 'content-length':
        contentLengths = [...contentLengths, value]
        break
      case 'content-type':
        contentTypes = [...contentTypes, value]
        break
      case 'cookie':
        hasPlantedCookie ||= mayBePlanted(value)
        break
      case 'transfer-encoding':
        transferEncoding = transferEncoding === undefined ? value : `${transferEncoding}, ${value}`
        break
      default:
        if (OVERRIDES.has(lower)) override ??= { name: lower, value }
    }
  }
  return {
    bytes,
    count: headers.length >> 1,
    longest,
    longestName,
    hosts,
    host,
    authority,
    contentLengths,
    transferEncoding,
    contentTypes,
    override,
    hasPlantedCookie,
  }
}

/** By first letter, the lengths of the names that a rule asks about: one bit for each length. */
const LENGTHS = new Int32Array(128)
for (const name of [
  'host',
  ':authority',
  'content-length',
  'content-type',
  'cookie',
  'transfer-encoding',
  ...OVERRIDES,
]) {
  const first = name.charCodeAt(0)
  LENGTHS[first] = (LENGTHS[first] ?? 0) | (1 << name.length)
}

/** Whether first letter and length make the name worth lower-casing: most names are ruled out here. */
function isRelevant(name: string): boolean {
  return name.length < 32 && ((LENGTHS[(name.charCodeAt(0) | 0x20) & 127] ?? 0) & (1 << name.length)) !== 0
}
