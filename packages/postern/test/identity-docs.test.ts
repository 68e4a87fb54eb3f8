import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { loadConfig } from '@postern/config'
import { type Act, actDigest } from '@postern/core'
import { SoftPasskey } from '../../identity/test/soft-passkey.ts'
import { postern } from '../src/postern.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const page = readFileSync(join(repository, 'docs/identity.md'), 'utf8')
const bound = readFileSync(join(repository, 'docs/bound-sessions.md'), 'utf8')
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

  test('the line for the browser asks for what it says, and gives the answer back', async t => {
    const asked: unknown[] = []
    t.mock.method(globalThis, 'fetch', async (...given: readonly unknown[]) => {
      asked.push(given)
      return new Response('deleted')
    })
    const { answer } = (await run(t, page, 'delete-order.ts')) as { readonly answer: Response }
    assert.equal(await answer.text(), 'deleted')
    assert.deepEqual(asked, [['/api/orders/1001', { method: 'DELETE' }]])
  })

  test('the lines that verify a confirmation accept it for its own act only', async t => {
    const { whoConfirmed } = (await run(t, page, 'verify-confirmation.ts')) as {
      readonly whoConfirmed: (confirmation: object, act: Act) => Promise<object | undefined>
    }
    const act: Act = { actor: 'user:alice', action: 'orders.delete', resource: 'order/1001', arguments: {} }
    const [time, nonce] = [1_700_000_000_000, 'bm9uY2Ugb2YgMTYgYnl0ZXM']
    const digest = Buffer.from(actDigest(act, time, nonce)).toString('base64url')
    const passkey = new SoftPasskey('https://shop.example')
    const kept = { answer: passkey.get({ challenge: digest }), publicKey: passkey.publicKey, time, nonce }
    const confirmation = { digest, assertion: Buffer.from(JSON.stringify(kept)).toString('base64url') }
    const { id: credentialId, publicKey } = passkey
    assert.deepEqual(await whoConfirmed(confirmation, act), { askedAt: time, credentialId, publicKey })
    assert.equal(await whoConfirmed(confirmation, { ...act, resource: 'order/1002' }), undefined)
  })
})

describe('docs/bound-sessions.md', () => {
  const configurations = blocks(bound, 'yaml')

  test('every configuration in it binds the cookie that it names', async () => {
    assert.equal(configurations.length, 2)
    for (const [index, { code }] of configurations.entries()) {
      const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), '.docs-'))
      try {
        writeFileSync(join(folder, 'postern.config.yaml'), code)
        const { config } = await loadConfig({ folder, environment: {} })
        assert.equal(config.bind?.cookie, 'connect.sid')
        assert.equal(config.bind.withoutDbsc, index === 0 ? 'unchanged' : 'webcrypto')
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }
  })

  test('the script in its page is served', { timeout: 60_000 }, async t => {
    const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), '.docs-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'postern.config.yaml'), configurations.at(-1)?.code ?? '')
    const layer = await postern({ folder })
    t.after(() => layer.close())
    const url = await listening(t, createServer(layer.node((_request, response) => response.end('behind'))))
    const path = /<script src="([^"]+)">/.exec(bound)?.[1] ?? ''
    const { status, headers } = await fetch(url + path)
    assert.equal(status, 200)
    assert.match(headers.get('content-type') ?? '', /^text\/javascript/)
  })

  test('the lines for its own code also run where pages are rendered on a server', async t => {
    await run(t, bound, 'application.ts')
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
