import { repeatsName } from '../body/repeated-names.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Json } from '../text/json.ts'
import { undecodedForm } from './undecoded-form.ts'

/** A body whose fields some backend may read, content codings undone. */
export type TextBody =
  | { readonly kind: 'json'; readonly value: Json }
  | { readonly kind: 'form'; readonly text: string }
  /** `complete`: of a long upload only the beginning is read. */
  | { readonly kind: 'multipart'; readonly text: string; readonly complete: boolean }
  /** Nobody takes it for fields: a picture, a document in another format. */
  | { readonly kind: 'other' }
  | { readonly kind: 'none' }
  /**
   * It has fields that cannot be read as all parsers read them: longer than guards may read, a coding or an
   * encoding that is not known, not the JSON that its label says, or JSON in which an object names a field
   * twice (`ambiguous`).
   */
  | { readonly kind: 'unreadable'; readonly why: 'too-large' | 'malformed' | 'ambiguous' }

/** Also by its name alone, as pages send it that take that for the type. */
const JSON_TYPE = /^\s*(?:application\/(?:[\w.+-]+\+)?)?json\b/i
const FORM_TYPE = /^\s*application\/x-(?:www-form-urlencoded|url-encoded)\b/i
const MULTIPART_TYPE = /^\s*multipart\/form-data\b/i

/**
 * Reads the body of an exchange for its fields. What is JSON is JSON under every label: many handlers parse
 * the bytes they get and never look at `Content-Type`. A form is one only under its label, for without it
 * nobody reads one. The text of a form under a content coding ends in what a backend finds that does not undo
 * the coding.
 */
export async function readTextBody(exchange: Exchange): Promise<TextBody> {
  if (!exchange.hasBody) return { kind: 'none' }
  const body = await exchange.readDecodedBody()
  if (body === undefined) return MALFORMED
  const { bytes, complete } = body
  if (bytes.length === 0 && complete) return { kind: 'none' }
  const label = labelOf(exchange.header('content-type') ?? '')
  const opens = opensJson(bytes)
  if (!complete && label !== 'multipart' && (label !== 'other' || opens)) return TOO_LARGE
  const json = label === 'json' || (opens && complete) ? asJson(bytes, label) : undefined
  if (json !== undefined) return json
  if (label === 'form' || label === 'multipart')
    return formOf(label, body, await undecodedForm(exchange, label))
  return { kind: 'other' }
}

/** Bytes as JSON; undefined when they are not JSON, and a backend may take them for what they are called. */
function asJson(bytes: Uint8Array, label: Label): TextBody | undefined {
  const read = jsonOf(bytes)
  if (read !== MALFORMED || label === 'json') return read
  // A document in UTF-16 is JSON to a parser that looks for the encoding.
  return label === 'other' && bytes.includes(0) ? MALFORMED : undefined
}

/** @param asSent the form as it was sent, where it came under a content coding */
function formOf(
  label: 'form' | 'multipart',
  { bytes, complete }: { readonly bytes: Uint8Array; readonly complete: boolean },
  asSent: string | undefined,
): TextBody {
  if (label === 'multipart') {
    const text = Buffer.from(bytes).toString('utf8')
    return { kind: 'multipart', text: asSent === undefined ? text : `${text}\n${asSent}`, complete }
  }
  const text = utf8(bytes)
  if (text === undefined) return MALFORMED
  return { kind: 'form', text: asSent === undefined ? text : `${text}&${asSent}` }
}

type Label = 'json' | 'form' | 'multipart' | 'other'

function labelOf(type: string): Label {
  if (JSON_TYPE.test(type)) return 'json'
  if (FORM_TYPE.test(type)) return 'form'
  return MULTIPART_TYPE.test(type) ? 'multipart' : 'other'
}

const TOO_LARGE = { kind: 'unreadable', why: 'too-large' } as const
const MALFORMED = { kind: 'unreadable', why: 'malformed' } as const
const AMBIGUOUS = { kind: 'unreadable', why: 'ambiguous' } as const

function jsonOf(bytes: Uint8Array): Extract<TextBody, { kind: 'json' | 'unreadable' }> {
  const text = utf8(bytes)
  if (text === undefined) return MALFORMED
  try {
    const value: Json = JSON.parse(text)
    return repeatsName(text, 'exact') ? AMBIGUOUS : { kind: 'json', value }
  } catch {
    return MALFORMED
  }
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Whether bytes begin as an object or a list of JSON does, in UTF-8, UTF-16 or UTF-32. */
function opensJson(bytes: Uint8Array): boolean {
  const first = bytes.find(byte => byte > 0x20 && !OF_A_BYTE_ORDER_MARK.has(byte))
  return first === 0x7b || first === 0x5b
}

const OF_A_BYTE_ORDER_MARK: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf, 0xfe, 0xff])
