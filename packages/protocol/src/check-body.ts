import { type Exchange, parseByteSize, routeException } from '@postern/core'
import { acceptsMediaType, isPlainCharset, parseMediaType } from './media-type.ts'
import type { ProtocolLimits } from './protocol-limits.ts'
import type { ProtocolFault } from './protocol-refusal.ts'
import type { RequestHead } from './request-head.ts'

/** What the head says about the body: its framing (RFC 9112 section 6), its size, its type. */
export function checkBody(
  exchange: Exchange,
  head: RequestHead,
  limits: ProtocolLimits,
): ProtocolFault | undefined {
  const { contentLengths, transferEncoding } = head
  if (contentLengths.length === 0 && transferEncoding === undefined && head.contentTypes.length === 0)
    return undefined
  const length = contentLengths[0]
  if (length !== undefined) {
    if (transferEncoding !== undefined) return framing('Both Content-Length and Transfer-Encoding are given.')
    if (contentLengths.length > 1) return framing('Content-Length is given more than once.')
    if (!/^\d{1,15}$/.test(length)) return framing('Content-Length is not a number.')
    const tooLarge = checkSize(exchange, Number(length), limits)
    if (tooLarge !== undefined) return tooLarge
  }
  if (transferEncoding !== undefined && transferEncoding.trim().toLowerCase() !== 'chunked')
    return framing('Transfer-Encoding is not chunked.')
  return checkType(exchange, head, limits)
}

function checkSize(exchange: Exchange, bytes: number, limits: ProtocolLimits): ProtocolFault | undefined {
  const declared = exchange.route?.settings.maxBody
  const limit = declared === undefined ? limits.maxBody : parseByteSize(declared, 'maxBody')
  if (bytes <= limit) return undefined
  return {
    rule: 'size',
    status: 413,
    message: 'The body of this request is too large.',
    location: 'header.content-length',
    facts: { bytes, limit },
    exception: routeException(exchange, { maxBody: bytes }),
    close: true,
  }
}

/** What is wrong with the type of the body alone. */
export function checkType(
  exchange: Exchange,
  head: RequestHead,
  limits: ProtocolLimits,
): ProtocolFault | undefined {
  const declared = exchange.route?.settings.contentTypes ?? limits.contentTypes
  const hasBody = head.transferEncoding !== undefined || Number(head.contentLengths[0] ?? 0) > 0
  const [value, second] = head.contentTypes
  if (second !== undefined && second !== value)
    return type(exchange, 400, `${value}, ${second}`, 'Content-Type is given more than once')
  if (value === undefined) {
    return hasBody && declared !== undefined
      ? type(exchange, 415, '', 'a body without a Content-Type', declared)
      : undefined
  }
  const media = parseMediaType(value)
  if (media === undefined) {
    // Old clients send odd types on requests without a body, where no backend reads them.
    return hasBody ? type(exchange, 415, value, 'not a media type') : undefined
  }
  if (!isPlainCharset(media.charset)) return type(exchange, 415, value, 'a charset that hides its contents')
  return hasBody && declared !== undefined && !acceptsMediaType(declared, media.essence)
    ? type(exchange, 415, media.essence, 'not declared for this route', declared)
    : undefined
}

/** What `contentTypes` of a configuration takes. */
const MEDIA_TYPE = /^[\w.+-]{1,80}\/[\w.+-]{1,80}$/

function type(
  exchange: Exchange,
  status: number,
  span: string,
  problem: string,
  declared?: readonly string[],
): ProtocolFault {
  const essence = span.split(';', 1)[0] ?? ''
  return {
    rule: 'content-type',
    status,
    message: 'The content type of this request is not accepted here.',
    location: 'header.content-type',
    span,
    facts: { problem },
    ...(declared !== undefined &&
      MEDIA_TYPE.test(essence) && {
        exception: routeException(exchange, { contentTypes: [...declared, essence] }),
      }),
    ...(declared !== undefined && { headers: ['Accept', declared.join(', ')] }),
  }
}

function framing(problem: string): ProtocolFault {
  return {
    rule: 'framing',
    status: 400,
    message: 'The length of this request is given in a way that cannot be trusted.',
    location: 'headers',
    facts: { problem },
    close: true,
  }
}
