import type { HonestRequest } from '../honest-sessions.ts'

export type Part = Partial<Omit<HonestRequest, 'at'>>

export const BROWSER: readonly string[] = [
  'User-Agent',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Accept',
  '*/*',
  'Sec-Fetch-Site',
  'same-origin',
  'Accept-Language',
  'de-DE,de;q=0.9',
]
export const COOKIE: readonly string[] = ['Cookie', 'sid=s%3Aab12.cd34; consent=1']
export const JSON_TYPE: readonly string[] = ['Content-Type', 'application/json']
export const XML_TYPE: readonly string[] = ['Content-Type', 'application/xml; charset=utf-8']
export const BASIC: readonly string[] = ['Authorization', 'Basic YW5uOnNlY3JldA==']
export const BEARER: readonly string[] = ['Authorization', 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc']

export function agent(name: string, ...more: readonly string[]): readonly string[] {
  return ['User-Agent', name, 'Accept', '*/*', ...more]
}

/** One of several, in turn. */
export function turn<Value>(values: readonly Value[], n: number): Value {
  return values[n % values.length] as Value
}

/** So many requests, one every so many milliseconds. */
export function steps(
  count: number,
  every: number,
  make: (n: number) => Part,
  from = 0,
): readonly HonestRequest[] {
  return Array.from({ length: count }, (_, n) => ({
    at: from + n * every,
    method: 'GET',
    target: '/',
    headers: BROWSER,
    status: 200,
    ...make(n),
  }))
}

/** A made-up digest of a number. */
export function digest(n: number, length = 64): string {
  return ((n * 2_654_435_761) >>> 0).toString(16).padStart(8, '0').repeat(8).slice(0, length)
}
