import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Config, postern } from '../src/index.ts'

interface Refused {
  readonly status: number
  readonly config?: Config
  readonly target?: string
  readonly init?: RequestInit
}

/** Refusals that people meet in a browser. */
const REFUSALS: Readonly<Record<string, Refused>> = {
  'what looks like an attack': { status: 403, target: '/?q=%3Cscript%3Ealert(1)%3C/script%3E' },
  'a form of another site': {
    status: 403,
    config: { csrf: true },
    init: {
      method: 'POST',
      headers: {
        cookie: 'session=1',
        origin: 'http://evil.example',
        'sec-fetch-site': 'cross-site',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'a=1',
    },
  },
  'a client that may not come': {
    status: 403,
    config: { block: [{ userAgent: 'Firefox' }] },
  },
  'a body that is too large': {
    status: 413,
    config: { protocol: { maxBody: '1kb' } },
    init: { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'a '.repeat(2_000) },
  },
}

describe('the page of a refusal says in one language why', () => {
  for (const [name, { status, config = {}, target = '/', init = {} }] of Object.entries(REFUSALS))
    for (const language of ['de', 'es', 'fr', 'ja', 'ar', 'en'] as const)
      test(`${name}: ${language}`, async t => {
        const layer = await postern({
          config: { audit: false, dataDirectory: false, ...config },
          log: 'none',
        })
        t.after(() => layer.close())
        const headers = new Headers(init.headers)
        headers.set('host', 'shop.example')
        headers.set('accept', 'text/html,*/*;q=0.8')
        headers.set('accept-language', language)
        headers.set('user-agent', 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0')
        if (typeof init.body === 'string') headers.set('content-length', String(init.body.length))
        const handle = layer.fetch(() => new Response('hello'))
        const answer = await handle(new Request(`http://shop.example${target}`, { ...init, headers }))
        const page = await answer.text()
        assert.equal(answer.status, status, page)
        assert.match(page, new RegExp(`<html lang="${language}"`))
        assert.doesNotMatch(page, /<p[^>]* lang="en"/)
        const [, sentence = ''] = /<p class="soft">([^<]+)<\/p>\n<nav/.exec(page) ?? []
        assert.notEqual(sentence, '', page)
        assert.equal(/^(?:The|This|Requests) /.test(sentence), language === 'en', sentence)
      })
})
