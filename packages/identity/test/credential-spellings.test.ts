// One credential in another spelling, or behind others: what the backend takes, Postern must see.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Principal } from '@postern/core'
import { readCookies, withoutCookies } from '../src/headers/cookie.ts'
import { certificateMethod, enriched, Revocations, sessionMethod } from '../src/index.ts'
import { Browser, World } from './bound-world.ts'
import { exchangeOf } from './verify-harness.ts'

const alice: Principal = { kind: 'user', id: 'alice' }

describe('the session cookie of the application', () => {
  test('attack: is found behind more cookies than anybody has', async () => {
    const padding = Array.from({ length: 500 }, (_, i) => `c${i}=`).join('; ')
    assert.deepEqual(readCookies(`${padding}; sid=1`, 'sid'), ['1'])
    const method = sessionMethod({ cookie: 'sid', find: () => ({ principal: alice }) })
    const said = await method.identify(exchangeOf({ headers: ['cookie', `${padding}; sid=1`] }))
    assert.equal(said.kind, 'known')
  })

  test('attack: is revoked in every spelling that frameworks read', async () => {
    const revocations = new Revocations()
    await revocations.revokeSession('s%3Aabc.sig')
    const method = sessionMethod({ cookie: 'sid', find: () => ({ principal: alice }), revocations })
    for (const value of ['s%3Aabc.sig', 's:abc.sig', '%73%3aabc.sig', '"s:abc.sig"'])
      assert.equal(
        (await method.identify(exchangeOf({ headers: ['cookie', `sid=${value}`] }))).kind,
        'refused',
        value,
      )
    assert.equal((await method.identify(exchangeOf({ headers: ['cookie', 'sid=s:abd.sig'] }))).kind, 'known')
  })

  test('attack: once it is bound, its bare value is worth nothing in another spelling or under a name like it', async () => {
    const world = new World()
    const browser = new Browser(world)
    browser.jar.set('connect.sid', { value: 's%3Aabc.sig', until: Number.POSITIVE_INFINITY })
    assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig')
    assert.deepEqual([...browser.jar.keys()], ['__Host-postern-bound'])
    for (const cookie of [
      'connect.sid=s%3Aabc.sig',
      'connect.sid=s:abc.sig',
      'connect.sid=%73%3Aabc.sig',
      'connect_sid=s:abc.sig',
      'connect[sid=s:abc.sig',
      'connect%2Esid=s:abc.sig',
      'theme=dark connect.sid=s:abc.sig',
      'theme=dark,connect.sid=s:abc.sig',
    ])
      assert.doesNotMatch((await world.send('/', ['cookie', cookie])).cookie ?? '', /abc/, cookie)
    assert.equal(
      withoutCookies('a=1; connect.sid.b=2; sid=connect.sid', ['connect.sid']),
      'a=1; connect.sid.b=2; sid=connect.sid',
    )
  })
})

describe('a client certificate', () => {
  test('attack: has no name that stands inside another one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-san-'))
    const settings = `[req]\ndistinguished_name = dn\nx509_extensions = ext\nprompt = no\n[dn]\nCN = mallory\n[ext]
subjectAltName = @names\n[names]\nDNS.1 = mallory.example, URI:spiffe://shop/admin, x\nURI.1 = https://mallory.example/a\n`
    writeFileSync(join(folder, 'settings'), settings)
    const args = ['-nodes', '-keyout', join(folder, 'key'), '-out', join(folder, 'cert')]
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-days', '2', '-config', join(folder, 'settings'), ...args],
      { stdio: 'ignore' },
    )
    const certificate = new X509Certificate(readFileSync(join(folder, 'cert')))
    rmSync(folder, { recursive: true })
    const socket = { authorized: true, getPeerX509Certificate: () => certificate }
    let names: readonly string[] = []
    await certificateMethod({
      principal: shown => {
        names = shown.names
        return undefined
      },
    }).identify(exchangeOf({ native: { socket } }))
    assert.deepEqual(names, [
      'DNS:mallory.example, URI:spiffe://shop/admin, x',
      'URI:https://mallory.example/a',
    ])
    const said = await certificateMethod().identify(exchangeOf({ native: { socket } }))
    assert.notEqual(said.kind === 'known' ? said.principal.id : '', 'spiffe://shop/admin')
  })
})

describe('what is looked up about a principal', () => {
  test('attack: is not that of another whose id and tenant join to the same text', async () => {
    let principal: Principal = { kind: 'user', tenant: 'a', id: 'b c' }
    const method = enriched(
      { name: 'test', identify: () => ({ kind: 'known', principal }) },
      async ({ id }) => ({ roles: id === 'b c' ? ['admin'] : [] }),
    )
    const rolesNow = async (): Promise<unknown> => {
      const said = await method.identify(exchangeOf())
      return said.kind === 'known' ? said.principal.roles : undefined
    }
    assert.deepEqual(await rolesNow(), ['admin'])
    principal = { kind: 'user', tenant: 'a b', id: 'c' }
    assert.deepEqual(await rolesNow(), [])
  })
})
