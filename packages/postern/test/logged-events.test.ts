import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import type { Event } from '@postern/core'
import { postern } from '../src/index.ts'

/** How loggers and people write an object out. */
const WRITERS: Readonly<Record<string, (event: object) => string>> = {
  'JSON.stringify': event => JSON.stringify(event),
  'its own properties, as pino and winston take them': event => JSON.stringify({ level: 30, ...event }),
  'console.log': event => inspect(event, { depth: 12, showHidden: true }),
  'a message to another thread': event => JSON.stringify(structuredClone(event)),
}

/** One refusal of a request that carries secrets, as `onEvent` and a detector see it. */
async function seenEvents(): Promise<Readonly<Record<'onEvent' | 'detector', Event>>> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-logged-'))
  const seen: Partial<Record<'onEvent' | 'detector', Event>> = {}
  const keep =
    (by: 'onEvent' | 'detector') =>
    (event: Event): undefined => {
      if (event.type === 'http') seen[by] = event
    }
  const layer = await postern({
    folder,
    config: { dataDirectory: false },
    onEvent: keep('onEvent'),
    detectors: [{ name: 'seen', observe: keep('detector') }],
  })
  try {
    const headers = { host: 'a.example', cookie: 'sid=c00kie', authorization: 'Bearer t0ken' }
    const url = 'http://a.example/?q=%27%20union%20select%20a%20from%20b--'
    const response = await layer.fetch(() => new Response('ok'))(new Request(url, { headers }))
    assert.equal(response.status, 403)
    await response.text()
  } finally {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  }
  assert.ok(seen.onEvent !== undefined && seen.detector !== undefined)
  return { onEvent: seen.onEvent, detector: seen.detector }
}

test('an event that is logged names the request and its refusal, and never its cookies and tokens', async () => {
  const { onEvent, detector } = await seenEvents()
  for (const [name, write] of Object.entries(WRITERS)) {
    const line = write(onEvent)
    assert.match(line, /a\.example/, name)
    assert.match(line, /inspect\/sqli/, name)
    for (const text of [line, name.startsWith('a message') ? '' : write(detector)])
      assert.doesNotMatch(text, /c00kie|t0ken/, name)
  }
})
