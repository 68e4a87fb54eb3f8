import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { loadConfig } from '@postern/config'
import { postern } from '../src/postern.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const page = readFileSync(join(repository, 'docs/identity.md'), 'utf8')
const readme = readFileSync(join(repository, 'packages/identity/README.md'), 'utf8')

/** Code blocks of a language that name a file in their first line. */
function blocks(text: string, language: string): readonly { readonly name: string; readonly code: string }[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n(?://|#) ([\\w.-]+)\\n([\\s\\S]*?)^\`\`\`$`, 'gm')
  return [...text.matchAll(pattern)].map(([, name = '', code = '']) => ({ name, code }))
}

/** Runs a block as it is printed, in a folder of its own from which packages resolve. */
async function run(t: TestContext, text: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  const block = blocks(text, 'ts').find(found => found.name === name)
  assert.ok(block, `${name} is not in the page`)
  const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), '.docs-'))
  const before = process.cwd()
  process.chdir(folder)
  t.after(() => {
    process.chdir(before)
    rmSync(folder, { recursive: true, force: true })
  })
  writeFileSync(join(folder, name), block.code)
  return import(pathToFileURL(join(folder, name)).href)
}

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await new Promise<void>(resolve => server.once('listening', () => resolve()))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('docs/identity.md', () => {
  test('every configuration in it is one', async () => {
    const found = blocks(page, 'yaml')
    assert.ok(found.length >= 4)
    for (const { code } of found) {
      const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), '.docs-'))
      try {
        writeFileSync(join(folder, 'postern.config.yaml'), code)
        const { config } = await loadConfig({ folder, environment: {} })
        assert.ok(config.identity)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }
  })

  test('the server in it greets a stranger and serves the pages', { timeout: 60_000 }, async t => {
    const { server, close } = (await run(t, page, 'server.ts')) as {
      readonly server: Server
      readonly close: () => Promise<void>
    }
    t.after(close)
    const url = await listening(t, server)
    assert.equal(await (await fetch(url)).text(), 'Sign in at /.postern/sign-in\n')
    assert.equal((await fetch(`${url}/.postern/sign-in`)).status, 200)
  })

  test('the lines that verify the token in TypeScript verify it', { timeout: 60_000 }, async t => {
    const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), '.docs-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const [, backend] = blocks(page, 'yaml')
    writeFileSync(join(folder, 'postern.config.yaml'), backend?.code ?? '')
    const layer = await postern({ folder })
    t.after(() => layer.close())
    const url = await listening(t, createServer(layer.node((_request, response) => response.end('behind'))))
    const { fetch: real } = globalThis
    globalThis.fetch = (input, init) => real(String(input).replace('http://localhost:8080', url), init)
    t.after(() => {
      globalThis.fetch = real
    })
    const { whoActs } = (await run(t, page, 'verify.ts')) as {
      readonly whoActs: (token: string) => Promise<{ readonly sub?: string }>
    }
    const tokens = layer.identity?.backendTokens
    assert.ok(tokens)
    const token = await tokens.token({ kind: 'user', id: 'alice', roles: ['editor'] })
    const { sub, ...claims } = await whoActs(token)
    assert.equal(sub, 'alice')
    assert.deepEqual(claims, {
      ...claims,
      kind: 'user',
      roles: ['editor'],
      aud: 'orders',
      iss: 'http://localhost:8080',
    })
    await assert.rejects(whoActs(`${token.slice(0, -8)}AAAAAAAA`))
  })
})

describe('the README of @postern/identity', () => {
  test('its example runs as printed', { timeout: 60_000 }, async t => {
    const site = (await run(t, readme, 'site.ts')) as {
      readonly handler: RequestListener
      readonly layer: { close(): Promise<void> }
    }
    t.after(() => site.layer.close())
    const url = await listening(t, createServer(site.handler))
    assert.equal(await (await fetch(url)).text(), 'You are a stranger\n')
    assert.match(await (await fetch(`${url}/.postern/sign-up`)).text(), /Create an account/)
  })
})
