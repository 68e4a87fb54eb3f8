import type { Readable } from 'node:stream'
import type { Json } from '../text/json.ts'
import { textOf } from './bounded-answer.ts'

/**
 * The JSON object that a client of a listener of our own sent; an empty body is an empty object. The
 * connection stays open when there is more than may be read, so that the client gets an answer.
 * @param most bytes
 * @returns undefined for anything else, and for more bytes
 * @throws Error (rejects) when the connection breaks
 */
export async function sentObject(
  request: Readable,
  most: number,
): Promise<{ readonly [name: string]: Json } | undefined> {
  try {
    const text = await textOf(request.iterator({ destroyOnReturn: false }), most)
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
