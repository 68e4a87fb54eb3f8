import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from '../src/inspect.ts'

test('a field may be named after the program that changes a password, and a command behind it is found', () => {
  const verdict = (type: string, body: string, target = '/login'): string =>
    inspect({ method: 'POST', target, headers: ['content-type', type], body: Buffer.from(body) }).verdict
  const form = 'application/x-www-form-urlencoded'
  assert.equal(verdict(form, 'user=ann&passwd=s3cr3t'), 'pass')
  assert.equal(verdict(form, 'a=b', '/login?passwd=s3cr3t'), 'pass')
  assert.equal(verdict('application/json', '{"passwd":"s3cr3t"}'), 'pass')
  assert.equal(verdict('application/xml', '<graphics type="vnc" passwd="s3cr3t"/>'), 'pass')
  assert.equal(inspect({ method: 'GET', target: '/', headers: ['cookie', 'passwd=abc'] }).verdict, 'pass')
  for (const value of [';passwd root', '|cat /etc/passwd', '$(passwd)', 'passwd;id'])
    assert.equal(verdict(form, `q=${encodeURIComponent(value)}`), 'block', value)
})

test('a condition that always holds is refused as a password, however short; what chance makes passes', () => {
  const sent = (password: string): string =>
    inspect({
      method: 'POST',
      target: '/login',
      headers: ['content-type', 'application/json'],
      body: Buffer.from(JSON.stringify({ user: 'ann', password })),
    }).verdict
  for (const password of [
    "' or 1=1--",
    "x' or 1=1#",
    '" or ""="',
    "' or ''='",
    "' or '1'='1",
    "'||1=1--",
    "' or true--",
  ])
    assert.equal(sent(password), 'block', password)
  for (const password of [
    "x' OR 1=1",
    "Tom's or 5",
    "it's 'or 7'=x!",
    "p'||4=5",
    "k'or1=x2",
    "a'=#1--",
    "'||'=;",
  ])
    assert.equal(sent(password), 'pass', password)
})
