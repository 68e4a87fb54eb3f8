import type { Readable } from 'node:stream'
import type { Json } from '../text/json.ts'
import { textOf } from './bounded-answer.ts'

/**
 * The body that a client of a listener of our own sent, as text. The connection stays open when there is more
 * than may be read, so that the client gets an answer.
 * @param most bytes
 * @throws RangeError (rejects) when there are more; nothing more is read then
 * @throws TypeError (rejects) when they are not UTF-8
 * @throws Error (rejects) when the connection breaks
 */
export function sentText(request: Readable, most: number): Promise<string> {
  return textOf(request.iterator({ destroyOnReturn: false }), most)
}

/**
 * The JSON object that a client of a listener of our own sent; an empty body is an empty object. The
 * connection stays open, as with `sentText`.
 * @param most bytes
 * @returns undefined for anything else, and for more bytes
 * @throws Error (rejects) when the connection breaks
 */
export async function sentObject(
  request: Readable,
  most: number,
): Promise<{ readonly [name: string]: Json } | undefined> {
  try {
    const text = await sentText(request, most)
    return objectOf(text === '' ? {} : (JSON.parse(text) as Json))
  } catch (error) {
    // Too long, no JSON, no UTF-8.
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError)
      return undefined
    throw error
  }
}

function objectOf(value: Json): { readonly [name: string]: Json } | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as { readonly [name: string]: Json }) : undefined
}
