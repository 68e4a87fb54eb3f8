import { bodyValues } from './body-values.ts'
import type { Exchange } from './exchange.ts'
import { type MethodOverride, parameterOverride } from './method-override.ts'

const FORM = /^(?:application\/x-www-form-urlencoded|multipart\/form-data)/i

/** A part named `_method`, with the method that it holds. */
const PART = /\bname="?_method"?[^\r\n]*\r?\n(?:[^\r\n]+\r?\n){0,8}\r?\n([A-Za-z-]{1,32})\r?\n/

/** Whether the body of a request may ask for another method: frameworks look for it in forms that are posted. */
export function mayOverrideInForm(exchange: Exchange): boolean {
  return exchange.method === 'POST' && exchange.hasBody && FORM.test(exchange.header('content-type') ?? '')
}

/** What the field `_method` of a posted form asks for; waits for the body, as far as guards may read it. */
export async function formMethodOverride(exchange: Exchange): Promise<MethodOverride | undefined> {
  const value = await fieldOf(exchange)
  return value === undefined ? undefined : parameterOverride(value, exchange.method, 'body')
}

async function fieldOf(exchange: Exchange): Promise<string | undefined> {
  if (/^multipart/i.test(exchange.header('content-type') ?? '')) {
    const { bytes } = await exchange.readBody()
    return PART.exec(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'))?.[1]
  }
  const values = await bodyValues(exchange)
  const value = values.kind === 'fields' ? values.fields.get('_method') : undefined
  return typeof value === 'string' ? value : undefined
}
