import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Config, postern } from '../src/index.ts'

/** What a refused request gets: the first is let through, the second is over the limit. */
async function refusal(
  config: Config,
  headers: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-pages-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const layer = await postern({
    folder,
    config: { audit: false, limits: { address: '1/1m' }, ...config },
    log: 'none',
  })
  try {
    const answer = layer.fetch(() => new Response('hello'))
    const ask = async (): Promise<Response> =>
      answer(new Request('http://shop.example/', { headers: { host: 'shop.example', ...headers } }))
    await (await ask()).text()
    const refused = await ask()
    assert.equal(refused.status, 429)
    return refused
  } finally {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const HTML = { accept: 'text/html,*/*;q=0.8' }

describe('the page of a refusal', () => {
  for (const [language, title, direction] of [
    ['en', 'Too many requests', 'ltr'],
    ['de-AT,de;q=0.9', 'Zu viele Anfragen', 'ltr'],
    ['es', 'Demasiadas solicitudes', 'ltr'],
    ['fr-CA', 'Trop de requêtes', 'ltr'],
    ['ja', 'リクエストが多すぎます', 'ltr'],
    ['ar-EG', 'عدد الطلبات كبير جدًا', 'rtl'],
    ['pt-BR,fr;q=0.5,de;q=0.8', 'Zu viele Anfragen', 'ltr'],
    ['xx', 'Too many requests', 'ltr'],
    ['toString;q=1,__proto__', 'Too many requests', 'ltr'],
  ] as const)
    test(`is in the language that a browser prefers: ${language}`, async () => {
      const page = await refusal({}, { ...HTML, 'accept-language': language })
      const body = await page.text()
      assert.ok(body.includes(`<h1>${title}</h1>`), body)
      assert.ok(body.includes(` dir="${direction}"`))
      assert.match(body, new RegExp(`<code dir="ltr">${page.headers.get('x-request-id')}</code>`))
      assert.doesNotMatch(body, /<script|undefined|\{when\}|\{time\}/)
    })

  test('says until when, offers the way back, and is in one language where the site says so', async () => {
    const body = await (
      await refusal({ refusal: { language: 'de' } }, { ...HTML, 'accept-language': 'en' })
    ).text()
    assert.match(
      body,
      /Sie können es in \d+ (?:Sekunden|Minuten|Minute) noch einmal versuchen \(um \d\d:\d\d UTC\)/,
    )
    assert.match(body, /<a href="">Noch einmal versuchen<\/a><a href="\/">Zur Startseite<\/a>/)
  })
})

describe('a refusal of your own', () => {
  const page =
    '<!doctype html><html lang="{{language}}" dir="{{direction}}"><title>{{ title }}</title><p>{{detail}} {{until}} {{id}} {{status}}'

  test('is the page of a file, with its words filled in', async () => {
    const answer = await refusal(
      { refusal: { html: 'refused.html' } },
      { ...HTML, 'accept-language': 'fr' },
      { 'refused.html': page },
    )
    const body = await answer.text()
    assert.match(body, /lang="fr" dir="ltr"><title>Trop de requêtes<\/title>/)
    assert.ok(body.includes(answer.headers.get('x-request-id') ?? '-'))
    assert.match(answer.headers.get('content-security-policy') ?? '', /script-src 'none'/)
    assert.notEqual(answer.headers.get('retry-after'), null)
  })

  test('is a document of your own for clients that prefer JSON', async () => {
    const json = { error: { code: '{{status}}', text: 'refused: {{title}}', request: '{{id}}' }, retry: true }
    const answer = await refusal({ refusal: { json } }, { accept: 'application/json' })
    assert.equal(answer.headers.get('content-type'), 'application/json')
    assert.deepEqual(await answer.json(), {
      error: { code: 429, text: 'refused: Too many requests', request: answer.headers.get('x-request-id') },
      retry: true,
    })
  })

  test('is refused when the configuration is read if the file is not there, or names a word that does not exist', async () => {
    await assert.rejects(refusal({ refusal: { html: 'none.html' } }, HTML), /refusal\.html.*does not exist/s)
    await assert.rejects(
      refusal({ refusal: { html: 'refused.html' } }, HTML, { 'refused.html': '{{titel}}' }),
      /there is no \{\{titel\}\}.*title, explanation/s,
    )
    await assert.rejects(
      refusal({ refusal: { json: { a: ['{{x}}'] } } }, HTML),
      /refusal\.json.*there is no/s,
    )
  })
})
