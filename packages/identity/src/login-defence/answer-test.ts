import type { Json } from '@postern/core'

/** How a route's answer shows what became of a login. */
export type AnswerTest =
  | { readonly kind: 'status'; readonly codes: readonly number[] }
  /** `Location` leads to a path (and query) that begins with this. */
  | { readonly kind: 'redirect'; readonly prefix: string }
  /** The answer sets a cookie of this name to something. */
  | { readonly kind: 'cookie'; readonly name: string }
  /** The first 64 KiB of the body contain this text. */
  | { readonly kind: 'text'; readonly text: string }
  /** A JSON body has a value other than null, false and empty at this path: `data.login.token`, `errors`. */
  | { readonly kind: 'json'; readonly path: readonly string[] }

/** The answer's status is one of these. */
export function status(...codes: readonly number[]): AnswerTest {
  return { kind: 'status', codes }
}

/** The answer sends the browser to a path that begins with `prefix`: `redirect('/login')`. */
export function redirect(prefix: string): AnswerTest {
  return { kind: 'redirect', prefix }
}

/** The answer sets this cookie. */
export function setsCookie(name: string): AnswerTest {
  return { kind: 'cookie', name }
}

/** The body contains a text. */
export function answerText(text: string): AnswerTest {
  return { kind: 'text', text }
}

/** The JSON body has something at a path. */
export function answerJson(path: string): AnswerTest {
  return { kind: 'json', path: path.split('.') }
}

/** What can be read of an answer. */
export interface SeenAnswer {
  readonly status: number
  readonly location: string | undefined
  readonly cookies: readonly string[]
  /** The first 64 KiB, once they were seen. */
  readonly body: string | undefined
}

/** Whether a test holds; `unseen` when it needs the body and that was not seen. */
export function holds(test: AnswerTest, answer: SeenAnswer): boolean | 'unseen' {
  switch (test.kind) {
    case 'status':
      return test.codes.includes(answer.status)
    case 'redirect':
      return isRedirect(answer) && pathOf(answer.location ?? '').startsWith(test.prefix)
    case 'cookie':
      return answer.cookies.some(cookie => isGiven(cookie, test.name))
    case 'text':
      return answer.body === undefined ? 'unseen' : answer.body.includes(test.text)
    case 'json':
      return answer.body === undefined ? 'unseen' : isPresent(valueAt(parseJson(answer.body), test.path))
  }
}

/** Whether the status sends the client elsewhere and says where. */
export function isRedirect(answer: SeenAnswer): boolean {
  return answer.status >= 300 && answer.status < 400 && answer.location !== undefined
}

/** Path and query of a `Location`, whether it is absolute or not. */
export function pathOf(location: string): string {
  const origin = /^(?:https?:)?\/\/[^/?#]*/i.exec(location)
  const rest = origin === null ? location : location.slice(origin[0].length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** A cookie set to something, not removed. */
export function isGiven(setCookie: string, name?: string): boolean {
  const [pair = '', ...attributes] = setCookie.split(';')
  const equals = pair.indexOf('=')
  if (name !== undefined && pair.slice(0, equals).trim() !== name) return false
  const value = pair.slice(equals + 1).trim()
  return value !== '' && value !== '""' && !attributes.some(text => /^\s*max-age\s*=\s*(?:0|-)/i.test(text))
}

export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

export function valueAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  let inner = value
  for (const name of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, name)) return undefined
    inner = (inner as { readonly [key: string]: Json })[name]
  }
  return inner
}

function isPresent(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0
  return value !== undefined && value !== null && value !== false && value !== ''
}
