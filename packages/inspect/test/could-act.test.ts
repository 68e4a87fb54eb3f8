import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { beginInspection } from '../src/inspect.ts'
import type { InspectedRequest } from '../src/request/inspected-request.ts'
import { couldAct } from '../src/sinks/could-act.ts'
import { requestValues } from '../src/sinks/request-values.ts'

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

const browser = (agent: string): string[] => [
  ...['Host', 'shop.example', 'User-Agent', agent, 'Accept-Language', 'en-US,en;q=0.5'],
  ...['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'Priority', 'u=0, i'],
  ...['Accept-Encoding', 'gzip, deflate, br, zstd', 'Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-User', '?1'],
  ...['Sec-CH-UA', '"Chromium";v="141", "Not?A_Brand";v="8"', 'Sec-CH-UA-Platform', '"Linux"'],
  ...['Cookie', 'session=0123456789abcdef0123456789abcdef; theme=dark', 'If-None-Match', 'W/"5-fxQ"'],
]

function mayAct(request: InspectedRequest): boolean {
  const ongoing = beginInspection(request)
  ongoing.finish()
  return ongoing.mayAct
}

const asking = (target: string, headers: string[] = [], body?: string): InspectedRequest => ({
  method: body === undefined ? 'GET' : 'POST',
  target,
  headers: body === undefined ? headers : [...headers, 'Content-Type', 'application/json'],
  body: body === undefined ? undefined : Buffer.from(body),
})

/** What decoders, caches and parsers treat apart, and the words of statements and commands. */
const PIECES = [
  ...[
    "'",
    '"',
    '`',
    ';',
    '(',
    ')',
    '<',
    '>',
    '=',
    '|',
    '&',
    '$',
    '{',
    '}',
    '\\',
    '\n',
    '\u0000',
    ' -',
    '\t-',
  ],
  ...['--', '/*', '..', '/', ' ', '+', '%20', '%27', '%3E', '%20-', ',', ':', '@', '.', '-', '1', 'a', 'é'],
  ...['or', 'and', 'union', 'is', 'not', 'order', 'blue shoes', 'x=1', '2024-05-01', 'rm', 'null', 'Like'],
]
const texts = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 5 }).map(all => all.join(''))

describe('what could act where the application uses it', () => {
  test('is nowhere in what browsers and usual clients ask for', () => {
    for (const headers of [browser(CHROME), browser(FIREFOX), ['Host', 'a', 'User-Agent', 'curl/8.5.0']])
      for (const target of ['/', '/products/17?page=2&sort=price&q=blue+shoes', '/a-b/c.png?v=1.2.3'])
        for (const time of ['first', 'second', 'third'])
          assert.equal(mayAct(asking(target, headers)), false, `${target} ${headers[3]} ${time}`)
    const order = '{"id":17,"name":"lamp","tags":["a","b"],"at":"2026-05-01"}'
    assert.equal(mayAct(asking('/orders', browser(CHROME), order)), false)
  })

  test('is noted, though no rule finds anything in it, each time it comes', () => {
    const odd = '7 || ~ascii_of(name)'
    for (const request of [
      asking(`/?id=${encodeURIComponent(odd)}`),
      asking('/', ['X-Id', odd]),
      asking('/', ['User-Agent', `${FIREFOX}' x`]),
      asking('/', ['Cookie', `id=${encodeURIComponent(odd)}`]),
      asking('/', [], JSON.stringify({ id: odd })),
      asking('/price=price'),
      asking('/?a=a%20-rf'),
    ])
      for (const time of ['first', 'second', 'third'])
        assert.equal(mayAct(request), true, `${request.target} ${request.headers} ${time}`)
  })

  test('is never in a request that inspection calls inert', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('query', 'path', 'header', 'cookie', 'json', 'name', 'agent'),
        texts,
        fc.boolean(),
        (place, text, isEncoded) => {
          const sent = isEncoded ? encodeURIComponent(text) : text.replace(/[\n\u0000\té ]/g, '')
          const line = text.replace(/[\n\u0000\té]/g, '')
          const request = {
            query: () => asking(`/?q=${sent}`),
            name: () => asking(`/?${sent}=1`),
            path: () => asking(`/items/${sent}/x`),
            header: () => asking('/', ['X-Value', line]),
            agent: () => asking('/', ['User-Agent', line]),
            cookie: () => asking('/', ['Cookie', `id=${sent}; theme=dark`]),
            json: () => asking('/', [], JSON.stringify({ a: [text], b: { [text]: 1 } })),
          }[place]()
          if (mayAct(request)) return
          for (const { text: value, location } of requestValues(request))
            assert.equal(couldAct(value), false, `${location}: ${value}`)
        },
      ),
      { numRuns: 1_000, seed: 7 },
    )
  })
})
