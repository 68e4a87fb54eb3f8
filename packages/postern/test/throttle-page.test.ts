import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { loadConfig } from '@postern/config'
import * as throttle from '@postern/throttle'
import { postern } from '../src/index.ts'

const PAGE = readFileSync(new URL('../../../docs/throttle.md', import.meta.url), 'utf8')

function blocksOf(language: string): readonly string[] {
  return [...PAGE.matchAll(new RegExp(`\\n\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  )
}

/** Ids and seconds differ from run to run. */
function timeless(text: string): string {
  return text
    .replaceAll(/\b1m[0-9a-z]{18}\b/g, 'ID')
    .replaceAll(/\d+(?= seconds)|(?<=Retry-After: |"retryAfter":|;t=)\d+/g, 'N')
}

describe('docs/throttle.md', () => {
  test('every configuration is accepted as printed', async () => {
    const blocks = blocksOf('yaml')
    assert.equal(blocks.length, 4)
    for (const text of blocks) {
      const folder = mkdtempSync(join(tmpdir(), 'postern-throttle-page-'))
      try {
        writeFileSync(join(folder, 'postern.config.yaml'), text)
        await loadConfig({ folder, environment: {} })
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }
  })

  test('the 101st request is answered as printed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-throttle-page-'))
    const layer = await postern({
      config: { dataDirectory: folder, limits: { address: '100/1m', busy: '20 at once' } },
    })
    const server = createServer(layer.node((_request, response) => response.end('hello')))
    try {
      server.listen(0, '127.0.0.1')
      await new Promise(resolve => server.once('listening', resolve))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      for (let i = 0; i < 100; i++) assert.equal(await (await fetch(url)).text(), 'hello')
      const { status, statusText, headers, text } = await fetch(url).then(async answer => ({
        status: answer.status,
        statusText: answer.statusText,
        headers: answer.headers,
        text: await answer.text(),
      }))
      const seen = [
        `HTTP/1.1 ${status} ${statusText}`,
        `Retry-After: ${headers.get('retry-after')}`,
        `RateLimit-Policy: ${headers.get('ratelimit-policy')}`,
        `RateLimit: ${headers.get('ratelimit')}`,
        '',
        text,
        '',
      ]
      const [printed = ''] = blocksOf('http')
      assert.equal(timeless(seen.join('\n')), timeless(printed))
    } finally {
      server.closeAllConnections()
      server.close()
      await layer.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('the library code uses functions that exist, as printed', () => {
    const [guard = '', overrides = '', calls = ''] = blocksOf('ts')
    const names = /import \{ ([^}]*) \}/.exec(guard)?.[1]?.split(', ') ?? []
    assert.ok(names.length > 5)
    const code = guard.replace(/^import .*\n/, '')
    const limits = new Function(...names, `${code}\nreturn limits`)(
      ...names.map(name => (throttle as Readonly<Record<string, unknown>>)[name]),
    ) as Readonly<Record<string, unknown>>
    for (const [, method = ''] of calls.matchAll(/limits\.(\w+)\(/g))
      assert.equal(typeof limits[method], 'function')
    const database = { query: () => ({ rows: [] }) }
    const guarded = new Function('throttle', 'overrides', 'window', 'tenant', 'database', overrides)
    guarded(throttle.throttle, throttle.overrides, throttle.window, throttle.tenant, database)
  })
})
