import type { RawHeaders } from '@postern/core'
import type { NodeRequest } from './node-message.ts'

/**
 * The headers as they arrived. A request that something made from an event of a platform (serverless-http)
 * has only `headers`: its list is made from them, and put on the request for all who read it.
 */
export function headersOf(request: NodeRequest): RawHeaders {
  const { rawHeaders } = request
  if (rawHeaders.length > 0) return rawHeaders
  for (const [name, value] of Object.entries(request.headers))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined && one !== null) rawHeaders.push(name, String(one))
  return rawHeaders
}
