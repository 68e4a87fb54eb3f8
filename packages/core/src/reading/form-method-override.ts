import { multipartTexts } from '../body/multipart-texts.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { type MethodOverride, parameterOverride, parameterOverrides } from '../route/method-override.ts'
import { undecodedForm } from './undecoded-form.ts'

const FORM =
  /^\s*(?:application\/x-(?:www-form-urlencoded|url-encoded)|multipart\/form-data|json\b)|[/+]json\b/i
const MULTIPART = /^\s*multipart/i
const JSON_TYPE = /(?:^\s*|[/+])json\b/i
/** A name may be spelled with escapes. */
const MAY_NAME = /method|\\u/i

/**
 * Whether the body of a request may ask for another method: frameworks look for it in forms that are posted,
 * and some in objects of JSON (Laravel, method-override with a function).
 */
export function mayOverrideInForm(exchange: Exchange): boolean {
  return exchange.method === 'POST' && exchange.hasBody && FORM.test(exchange.header('content-type') ?? '')
}

/**
 * What the fields `_method` of a posted form ask for, all of them; waits for the body, as far as guards may
 * read it. Undefined where it cannot be read: its coding is not known or broken, or it has
 * too many parts.
 */
export async function formMethodOverrides(
  exchange: Exchange,
): Promise<readonly MethodOverride[] | undefined> {
  const body = await exchange.readDecodedBody()
  if (body === undefined) return undefined
  const { buffer, byteOffset, byteLength } = body.bytes
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
  const type = exchange.header('content-type') ?? ''
  if (JSON_TYPE.test(type)) return jsonOverrides(text, exchange.method)
  const asSent = await undecodedForm(exchange, MULTIPART.test(type) ? 'multipart' : 'form')
  const overrides: MethodOverride[] = []
  for (const reading of [text, asSent ?? '']) {
    const found = formOverrides(reading, type, exchange.method)
    if (found === undefined) return undefined
    overrides.push(...found)
  }
  return overrides
}

function formOverrides(text: string, type: string, method: string): readonly MethodOverride[] | undefined {
  return MULTIPART.test(type)
    ? multipartTexts(text)?.flatMap(([name, value]) => parameterOverride(name, value, method, 'body') ?? [])
    : parameterOverrides(text, method, 'body')
}

function jsonOverrides(text: string, method: string): readonly MethodOverride[] {
  if (!MAY_NAME.test(text)) return []
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return []
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, wished]) =>
    typeof wished === 'string' ? (parameterOverride(name, wished, method, 'body') ?? []) : [],
  )
}
