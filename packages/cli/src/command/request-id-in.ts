import { ConfigError, isRequestId, type RequestId } from '@postern/core'

/**
 * The request id in whatever a person has of it: the id, an `X-Request-Id` header, `urn:postern:request:...`,
 * a problem document, the text of a refusal page.
 * @throws ConfigError when there is none, or several
 */
export function requestIdIn(text: string): RequestId {
  const words = text.toLowerCase().match(/[0-9a-z]+/g) ?? []
  const found = [...new Set(words.filter(isRequestId))]
  // In a pasted document other words may look like an id; the one that is named as such is meant.
  const named = /urn:postern:request:([0-9a-z]{20})\b|x-request-id[^0-9a-z]{1,4}([0-9a-z]{20})\b/i.exec(text)
  const id = (named?.[1] ?? named?.[2])?.toLowerCase() ?? (found.length === 1 ? found[0] : undefined)
  if (id !== undefined && isRequestId(id)) return id
  throw new ConfigError({
    place: 'request id',
    problem:
      found.length > 1
        ? `"${text.slice(0, 40)}" holds several ids`
        : `"${text.slice(0, 40)}" is not a request id`,
    hint: 'it has 20 letters and digits; a refused caller sees it, and answers carry it as X-Request-Id. Paste the id, the header, or the whole answer',
  })
}
