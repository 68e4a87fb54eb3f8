import type { InspectedRequest } from '../../packages/inspect/src/request/inspected-request.ts'

/** Letters of any script, digits, and the signs of names, numbers, dates and mail addresses. */
const WORDS = /^[\p{L}\p{M}\p{N} ._@:,+!?*#-]{0,200}$/u
/** Longer than a name or an id: what it holds is opaque. */
const LONGEST_WORD = 64
/** A page on a named host. */
const ADDRESS = /^https?:\/\/[a-z][\w-]*(?:\.[\w-]+)*\.[a-z]{2,}(?::\d{1,5})?(?:\/[\w./~-]*)?$/i
const NAME = /^[\w.$:@ -]{1,100}(?:\[[\w.$ -]{0,64}\]){0,8}$/
/** Headers that every client sends, and what the body is. */
const USUAL_HEADERS = new Set(['accept', 'content-type', 'content-length', 'host', 'user-agent', 'origin'])

/**
 * Whether nothing in a request is more than data by its bytes: every name and every value is made of letters,
 * digits and the signs of names, or is the address of a page on a named host. Such a request is an attack on
 * one product that should not have answered it (a known address, default credentials, a field that a
 * stranger may set), not an injection: inspection promises nothing about it. Bodies that are neither a form
 * nor JSON are judged as one value.
 */
export function isOrdinaryRequest({ target, headers, body }: InspectedRequest): boolean {
  const [path = '', query = ''] = splitOnce(target, '?')
  if (!path.split('/').slice(1).every(isSegment)) return false
  if (!isOrdinaryForm(query)) return false
  let type = ''
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    const value = headers[i + 1] as string
    if (name === 'content-type') type = value
    if (name === 'cookie' ? !value.split('; ').every(isPair) : !isUsual(name, value)) return false
  }
  if (body === undefined) return true
  const text = Buffer.from(body).toString('utf8')
  if (type.includes('form-urlencoded')) return isOrdinaryForm(text)
  return type.includes('json') ? isOrdinaryJson(text) : isOrdinary(text)
}

function isUsual(name: string, value: string): boolean {
  if (USUAL_HEADERS.has(name) && /^[\w./ ;=:()*,+"-]{0,200}$/.test(value)) return true
  return isOrdinary(value)
}

function isSegment(segment: string, at: number, all: readonly string[]): boolean {
  if (segment === '') return at === all.length - 1
  return /^[\w.!~:@-]{1,80}$/.test(segment) && !/^\.\.?$/.test(segment)
}

function isOrdinary(value: string): boolean {
  if (value.includes('..')) return false
  if (ADDRESS.test(value)) return true
  return WORDS.test(value) && value.split(/[ ,]/).every(word => word.length <= LONGEST_WORD)
}

function isPair(pair: string): boolean {
  const [name = '', value = ''] = splitOnce(pair, '=')
  return (name === '' || NAME.test(name)) && isOrdinary(value)
}

function isOrdinaryForm(text: string): boolean {
  return text.split('&').every(pair => {
    try {
      return isPair(decodeURIComponent(pair.replaceAll('+', ' ')))
    } catch {
      return false
    }
  })
}

function isOrdinaryJson(text: string): boolean {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return false
  }
  return isOrdinaryValue(value)
}

function isOrdinaryValue(value: unknown): boolean {
  if (typeof value === 'string') return isOrdinary(value)
  if (Array.isArray(value)) return value.every(isOrdinaryValue)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, inner]) => NAME.test(name) && isOrdinaryValue(inner))
}

function splitOnce(text: string, sign: string): readonly string[] {
  const at = text.indexOf(sign)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
