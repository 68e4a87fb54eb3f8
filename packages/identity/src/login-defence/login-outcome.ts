import type { Json } from '@postern/core'
import {
  type AnswerTest,
  holds,
  isGiven,
  isRedirect,
  parseJson,
  pathOf,
  type SeenAnswer,
  valueAt,
} from './answer-test.ts'

/**
 * What became of a login. `unclear` gives nothing and takes nothing back; `unseen`
 * may become clear with the body.
 */
export type LoginOutcome = 'succeeded' | 'failed' | 'unclear' | 'unseen'

export interface OutcomeTests {
  /** Any of them holds: the login succeeded. */
  readonly succeeded?: readonly AnswerTest[]
  /** Any of them holds: it failed. Asked first. */
  readonly failed?: readonly AnswerTest[]
}

/**
 * Judges an answer. With only one kind of test given, an answer of the backend that passes none of them is
 * the other kind. Answers that say nothing about the password (5xx, 404, 405, 408, 413, 415, 429, no answer)
 * are unclear whatever is configured, unless a test names their status.
 * @param path canonical path of the login request
 * @param shape how far the client chose what stands in the answer: one that it shaped proves no success
 */
export function judgeAnswer(
  tests: OutcomeTests,
  answer: SeenAnswer,
  path: string,
  shape?: 'shaped' | 'given',
): LoginOutcome {
  const said = judged(tests, answer, path, shape)
  return said === 'succeeded' && shape === 'shaped' ? 'unclear' : said
}

function judged(
  tests: OutcomeTests,
  answer: SeenAnswer,
  path: string,
  shape: 'shaped' | 'given' | undefined,
): LoginOutcome {
  const failed = any(tests.failed, answer)
  if (failed === true) return 'failed'
  const succeeded = any(tests.succeeded, answer)
  if (failed === 'unseen') return 'unseen'
  if (succeeded === true) return 'succeeded'
  if (succeeded === 'unseen') return 'unseen'
  if (saysNothing(answer.status)) return 'unclear'
  if (tests.failed === undefined && tests.succeeded === undefined) return guess(answer, path)
  if (tests.succeeded !== undefined) return 'failed'
  // A page that was never seen to fail is not proof of success where the status says otherwise.
  if (answer.status >= 400) return 'failed'
  // Who need not ask for errors gets none, and a list has none where the tests look: what was given counts.
  if (shape === undefined && !isList(tests.failed, answer)) return 'succeeded'
  return guess(answer, path) === 'succeeded' ? 'succeeded' : 'unclear'
}

function isList(tests: readonly AnswerTest[] | undefined, { body }: SeenAnswer): boolean {
  return tests?.some(({ kind }) => kind === 'json') === true && Array.isArray(parseJson(body ?? ''))
}

function any(tests: readonly AnswerTest[] | undefined, answer: SeenAnswer): boolean | 'unseen' {
  let unseen = false
  for (const test of tests ?? []) {
    const said = holds(test, answer)
    if (said === true) return true
    if (said === 'unseen') unseen = true
  }
  return unseen ? 'unseen' : false
}

const NOTHING_SAID: ReadonlySet<number> = new Set([0, 404, 405, 406, 408, 411, 413, 415, 429, 431])

function saysNothing(status: number): boolean {
  return status >= 500 || NOTHING_SAID.has(status)
}

const FAILURE_WORDS = /error|fail|invalid|denied|incorrect|wrong|bad[-_]?cred/i
const TOKENS: readonly string[] = [
  'token',
  'access_token',
  'accessToken',
  'id_token',
  'idToken',
  'jwt',
  'sessionToken',
  'session',
]

/**
 * Without a word from the operator. A wrong "succeeded" would make a guesser's device known, so it needs
 * evidence: a cookie given together with a way onward, or a token in a JSON body.
 */
function guess(answer: SeenAnswer, path: string): LoginOutcome {
  if (answer.status >= 400) return 'failed'
  if (isRedirect(answer)) {
    if (leadsBack(pathOf(answer.location ?? ''), path)) return 'failed'
    return answer.cookies.some(cookie => isGiven(cookie)) ? 'succeeded' : 'unclear'
  }
  if (answer.body === undefined) return 'unseen'
  const value = parseJson(answer.body)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'unclear'
  if (isTrue(valueAt(value, ['errors'])) || isTrue(valueAt(value, ['error']))) return 'failed'
  if (valueAt(value, ['success']) === false || valueAt(value, ['ok']) === false) return 'failed'
  if (hasToken(value, 3)) return 'succeeded'
  if (saysNo(value, 3)) return 'failed'
  // Many sites give a cookie to everybody who comes without one: what is said beside it counts more.
  if (saysFailure(value, 3)) return 'unclear'
  return answer.cookies.some(cookie => isGiven(cookie)) ? 'succeeded' : 'unclear'
}

const FLAGS = /^(?:success|ok|status|result|valid|auth|authenticated|authorized|(?:is_?)?logged_?in|login)$/i

/** Whether a flag says that nobody was signed in. As a code, 0 is a success to many. */
function saysNo(value: Json, depth: number): boolean {
  return membersOf(value, depth).some(([name, inner]) => {
    const isNo = inner === false || (inner === 0 && !/^(?:status|result)$/i.test(name))
    return (isNo && FLAGS.test(name)) || saysNo(inner, depth - 1)
  })
}

/** Whether a text in the answer is about a failure. */
function saysFailure(value: Json, depth: number): boolean {
  return membersOf(value, depth).some(
    ([, inner]) => (typeof inner === 'string' && FAILURE_WORDS.test(inner)) || saysFailure(inner, depth - 1),
  )
}

function membersOf(value: Json, depth: number): readonly (readonly [string, Json])[] {
  return typeof value === 'object' && value !== null && depth > 0 ? Object.entries(value) : []
}

/** Whether a redirect leads to a login again, or to a page about a failure. */
function leadsBack(target: string, path: string): boolean {
  return (
    target.split(/[?#]/, 1)[0]?.toLowerCase() === path.toLowerCase() ||
    FAILURE_WORDS.test(target) ||
    /\/(?:login|log-in|signin|sign-in|sign_in)\b/i.test(target)
  )
}

function isTrue(value: Json | undefined): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

function hasToken(value: Json, depth: number): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === 0) return false
  return Object.entries(value).some(
    ([name, inner]) => (TOKENS.includes(name) && isTrue(inner)) || hasToken(inner, depth - 1),
  )
}
