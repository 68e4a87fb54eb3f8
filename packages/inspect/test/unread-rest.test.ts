import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isUnreadRestHarmless } from '../src/guard/unread-rest.ts'

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])
const MULTIPART = 'multipart/form-data; boundary=b'

function part(disposition: string, content: string): string {
  return `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}`
}

describe('what lies behind the part of a body that was read', () => {
  test('is the rest of a file where the body is one', () => {
    assert.ok(isUnreadRestHarmless(PNG, 'image/png'))
    assert.ok(isUnreadRestHarmless(Buffer.from('name;price\n1;2\n'), 'application/octet-stream'))
    assert.ok(isUnreadRestHarmless(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg">'), 'image/svg+xml'))
  })

  test('may be anything where the body only says that it is a file', () => {
    for (const text of ['{"padding":"', ' \n[{"a":1},', '<?xml version="1.0"?><a>', '\ufeff<order>'])
      for (const type of ['image/png', 'application/octet-stream', 'application/pdf'])
        assert.ok(!isUnreadRestHarmless(Buffer.from(text), type), `${type} ${text}`)
  })

  test('is the rest of a file where a multipart body was cut inside one, and may be anything where it was cut in a field', () => {
    const field = part('name="title"', 'A note\r\n')
    const file = part('name="photo"; filename="a.png"', 'xxxx')
    assert.ok(isUnreadRestHarmless(Buffer.from(field + file), MULTIPART))
    assert.ok(!isUnreadRestHarmless(Buffer.from(`${file}\r\n${part('name="note"', 'xxxx')}`), MULTIPART))
    assert.ok(!isUnreadRestHarmless(Buffer.from('no part at all'), MULTIPART))
  })

  test('may be anything in a document', () => {
    assert.ok(!isUnreadRestHarmless(Buffer.from('{"a":"'), 'application/json'))
    assert.ok(!isUnreadRestHarmless(Buffer.from('a=1&b='), 'application/x-www-form-urlencoded'))
  })
})
