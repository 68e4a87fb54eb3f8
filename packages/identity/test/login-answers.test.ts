import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addressOf, LoginWorld } from './login-harness.ts'

const BODY = JSON.stringify({ username: 'alice', password: 'x' })
/** What PHP gives to everybody who comes without a session. */
const COOKIE = ['Set-Cookie', 'PHPSESSID=abc; path=/']

async function guessed(world: LoginWorld): Promise<number> {
  let handled = 0
  for (let i = 0; i < 40; i++)
    if ((await world.send({ body: BODY, address: addressOf(i) })).handled) handled++
  return handled
}

describe('an answer of status 200 that gives a cookie to everybody', () => {
  for (const value of [
    { status: 'error', message: 'Wrong password' },
    { message: 'Invalid username or password' },
    { result: { code: 'LOGIN_FAILED' } },
    { authenticated: false },
    { loggedIn: false, user: null },
    { status: false },
    { valid: 0 },
  ])
    test(`attack: ${JSON.stringify(value)} passes for a success`, async () => {
      const world = new LoginWorld({}, () => ({ status: 200, headers: COOKIE, body: JSON.stringify(value) }))
      assert.ok((await guessed(world)) <= 10)
      assert.ok(world.events.every(({ type }) => type !== 'login.succeeded'))
    })

  for (const value of [
    { ok: true },
    { user: { id: 5, name: 'Alice' } },
    { status: 'success', redirect: '/home' },
  ])
    test(`${JSON.stringify(value)} is one`, async () => {
      const world = new LoginWorld({}, () => ({ status: 200, headers: COOKIE, body: JSON.stringify(value) }))
      await guessed(world)
      assert.equal(world.events.at(-1)?.type, 'login.succeeded')
    })
})
