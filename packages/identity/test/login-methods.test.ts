import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addressOf, LoginWorld, type Request } from './login-harness.ts'

const BODY = JSON.stringify({ username: 'alice', password: 'x' })
const OVERRIDE = { 'x-http-method-override': 'POST' }
const TOKEN = '/wp-json/jwt-auth/v1/token'

describe('a login that asks to be treated as a POST', () => {
  for (const [what, request] of [
    ['a PUT with a header', { method: 'PUT', path: '/login', headers: OVERRIDE, body: BODY }],
    ['a GET with a header', { method: 'GET', path: '/login?username=alice&password=x', headers: OVERRIDE }],
    ['a GET with a parameter', { method: 'GET', path: `${TOKEN}?_method=POST&username=alice&password=x` }],
    ['an OPTIONS with a parameter', { method: 'OPTIONS', path: `${TOKEN}?_method=POST&username=alice` }],
    ['a PATCH with a parameter', { method: 'PATCH', path: `${TOKEN}?_method=post`, body: BODY }],
  ] as readonly (readonly [string, Request])[])
    test(`attack: ${what} is counted, on a route that nobody named as a login`, async () => {
      const world = new LoginWorld({}, () => ({ status: 401 }))
      let handled = 0
      for (let i = 0; i < 40; i++)
        if ((await world.send({ ...request, address: addressOf(i) })).handled) handled++
      assert.ok(handled <= 10, `${handled} guesses`)
    })

  test('other methods and other wishes pass', async () => {
    const world = new LoginWorld({}, () => ({ status: 200 }))
    for (const [method, headers] of [
      ['GET', {}],
      ['DELETE', {}],
      ['PUT', { 'x-http-method-override': 'PATCH' }],
    ] as const)
      for (let i = 0; i < 15; i++)
        assert.equal((await world.send({ method, path: '/login?username=alice', headers })).handled, true)
  })
})

describe('a path where logins usually are', () => {
  for (const path of [
    '/wp-login.php/anything',
    '/shop/login.aspx/a/b',
    '/login.php.',
    '/login.php%20',
    '/rest/default/V1/integration/customer/token',
    '/login_check',
  ])
    test(`attack: ${path} reaches the same program, and is counted`, async () => {
      const world = new LoginWorld({}, () => ({ status: 401 }))
      let handled = 0
      for (let i = 0; i < 40; i++)
        if ((await world.send({ path, body: BODY, address: addressOf(i) })).handled) handled++
      assert.ok(handled <= 10, `${handled} guesses`)
    })

  test('pages below it and files beside it pass', async () => {
    const world = new LoginWorld({}, () => ({ status: 401 }))
    for (const path of ['/login/otp', '/sessions/5', '/token/revoke', '/mylogin', '/login-help'])
      for (let i = 0; i < 15; i++)
        assert.equal((await world.send({ path, body: BODY, address: addressOf(i) })).handled, true, path)
  })
})
