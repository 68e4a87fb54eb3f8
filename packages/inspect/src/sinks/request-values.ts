import { visitForm } from '../body/form.ts'
import { visitBody } from '../body/visit-body.ts'
import { decodeUrl } from '../canonicalise/url.ts'
import { isUnread } from '../request/header-names.ts'
import type { InspectedRequest } from '../request/inspected-request.ts'
import { finishSteps } from '../value/steps.ts'
import type { ValueVisitor } from '../value/value-visitor.ts'

/** A value of a request and where it stood. */
export interface RequestValue {
  readonly location: string
  readonly text: string
}

/** Where a request names its own server: an application that calls itself is not led astray by them. */
const OWN_NAMES =
  /^(?:host|origin|referer|forwarded|via|accept(?:-.*)?|connection|x-forwarded-.*|:authority)$/
/** Whether sinks take no notice of a header. @param name in lower case */
export function isOwnName(name: string): boolean {
  return OWN_NAMES.test(name) || isUnread(name)
}

const MAX_VALUES = 20_000
/** Characters of all values together: more than a body has that is read ahead. */
const MAX_CHARACTERS = 4_194_304

/**
 * The values of a request that could matter at a sink: those with something other than letters and digits,
 * each once, at most 20,000 of 4,194,304 characters together. A client can fill a request with values that
 * matter nowhere, so the bounds are wide: what stands behind them is compared with nothing.
 */
export function requestValues(request: InspectedRequest): readonly RequestValue[] {
  const found = new Map<string, RequestValue>()
  let characters = 0
  const visitor: ValueVisitor = {
    isPaused: false,
    value(text, _place, locator): boolean {
      if (text.length >= 2 && /[^\w-]/.test(text) && !found.has(text)) {
        found.set(text, { location: locator.location(), text })
        characters += text.length
      }
      return found.size < MAX_VALUES && characters < MAX_CHARACTERS
    },
    tooBig(): void {},
    work(): void {},
  }
  const mark = request.target.indexOf('?')
  const path = mark < 0 ? request.target : request.target.slice(0, mark)
  for (const segment of path.split('/')) {
    visitor.value(decodeUrl(segment, false), 'path', { location: () => 'path', name: () => '' })
  }
  if (mark >= 0) finishSteps(visitForm(request.target.slice(mark + 1), 'query', 'query', visitor))
  let contentType = ''
  for (let i = 0; i + 1 < request.headers.length; i += 2) {
    const name = (request.headers[i] as string).toLowerCase()
    const value = request.headers[i + 1] as string
    if (name === 'content-type') contentType = value
    if (name === 'cookie') visitCookies(value, visitor)
    else if (!isOwnName(name))
      visitor.value(value, 'header', { location: () => `header.${name}`, name: () => name })
  }
  if (request.body !== undefined) {
    const head = { method: request.method, path, contentType }
    finishSteps(visitBody(Buffer.from(request.body), head, 200, visitor, () => {}))
  }
  return [...found.values()]
}

/** Each cookie as it was sent, and as parsers of cookies hand it on: without its quotes, decoded. */
function visitCookies(header: string, visitor: ValueVisitor): void {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals < 0) continue
    const name = pair.slice(0, equals).trim().slice(0, 64)
    const locator = { location: () => `cookie.${name}`, name: () => name }
    const sent = pair.slice(equals + 1).trim()
    visitor.value(sent, 'cookie', locator)
    const bare = sent.length >= 2 && sent.startsWith('"') && sent.endsWith('"') ? sent.slice(1, -1) : sent
    if (bare !== sent || sent.includes('%')) visitor.value(decodeUrl(bare, false), 'cookie', locator)
  }
}
