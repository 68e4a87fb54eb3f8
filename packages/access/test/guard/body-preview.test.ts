import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyPreview } from '../../src/guard/body-preview.ts'
import { exchangeOf } from '../support/exchange.ts'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const PARTS = 'multipart/form-data; boundary=b'

const preview = (type: string, body: string): Promise<string | undefined> =>
  bodyPreview(
    exchangeOf({ method: 'POST', target: '/', headers: type === '' ? [] : ['Content-Type', type], body }),
  )

const part = (head: string, value: string): string =>
  `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`

/** What an approver must see, in bodies that make the rest of it look like the value of a secret. */
const HIDING: readonly (readonly [type: string, body: string])[] = [
  [JSON_TYPE, '{"note":"&token=","to":"eve"}'],
  [JSON_TYPE, '{"note":"<token>","to":"eve"}'],
  [JSON_TYPE, '{"note":"\\nname=token\\r\\n\\r\\n","to":"eve"}'],
  [FORM, 'note="token":"&to=eve&x="'],
  [FORM, 'note=<token>&to=eve'],
  [FORM, '{"token":"&to=eve&x="}'],
  [FORM, '{"note":"&token=","to":"eve"}'],
  ['text/plain', '{"note":"&token=","to":"eve",}'],
  ['', '{"note":"&token=","to":"eve",}'],
  ['', 'note="token":"&to=eve&x="'],
  ['application/xml', '<a note="&amp;token="><to>eve</to></a>'],
  [PARTS, `${part('filename="name=token"; name="to"', 'eve')}--b--`],
  [PARTS, `${part('name="token"; name="to"', 'eve')}--b--`],
]

/** Secrets of the requester, which the approver has no need of. */
const SECRETS: readonly (readonly [type: string, body: string])[] = [
  [JSON_TYPE, '{"to":"ann","password":"hunter2&=<x>"}'],
  ['application/vnd.api+json; charset=utf-8', '{"password":"hunter2"}'],
  [FORM, 'to=ann&password=hunter2"{x}'],
  // As `curl -d` sends it.
  [FORM, '{"to":"ann","password":"hunter2"}'],
  ['', '{"password":"hunter2"}'],
  ['', 'to=ann&password=hunter2'],
  ['text/plain', '<password>hunter2</password>'],
  ['application/soap+xml', '<s:password>hunter2</s:password>'],
  [PARTS, `${part('name="password"', 'hunter2')}--b--`],
]

test('nothing that an approver decides on is masked because another notation would call it a secret', async () => {
  for (const [type, body] of HIDING) {
    const shown = await preview(type, body)
    assert.match(shown ?? '', /\beve\b/, `${type}: ${body}`)
  }
})

test('the values of secrets are masked in every notation', async () => {
  for (const [type, body] of SECRETS) {
    const shown = await preview(type, body)
    assert.match(shown ?? '', /\*\*\*/, `${type}: ${body}`)
    assert.doesNotMatch(shown ?? '', /hunter2/, `${type}: ${body}`)
  }
})
