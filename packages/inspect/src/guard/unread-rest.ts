import { boundariesOf } from '@postern/core'
import { hasOneBoundary, isFileHead, lastDelimiter, namesParts, partHead } from '../body/multipart.ts'
import { isDocument } from '../body/visit-body.ts'

const FILE_TYPE = /^(?:image|audio|video|font)\/|^application\/(?:octet-stream|zip|gzip|x-tar|pdf|wasm)/i
const DOCUMENT_TYPE = /^image\/svg\+xml/i

/**
 * Whether what lies behind the part of a body that was read can only be the rest of a file: a file sent as
 * the whole body, or a multipart body that was cut inside a file part. Fields behind such a part are not
 * seen; level 1 accepts that for uploads. What says it is a file but reads as a JSON or XML document is not
 * an upload: a backend that does not look at the type would read on where inspection had to stop.
 */
export function isUnreadRestHarmless(prefix: Uint8Array, contentType: string): boolean {
  const bytes = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.length)
  if (FILE_TYPE.test(contentType) && !namesParts(contentType))
    return DOCUMENT_TYPE.test(contentType) || !isDocument(bytes)
  const [boundary] = hasOneBoundary(contentType) ? boundariesOf(contentType) : []
  if (boundary === undefined) return false
  const last = lastDelimiter(bytes, boundary)
  const head = last < 0 ? undefined : partHead(bytes.subarray(last))
  return head !== undefined && isFileHead(head.toString('latin1'))
}
