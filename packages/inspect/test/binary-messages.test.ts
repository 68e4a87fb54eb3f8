import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { inspect } from '../src/inspect.ts'

const ATTACKS = [
  "1' UNION SELECT password FROM users-- x",
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
]

const ofBody = (type: string, body: Buffer): string =>
  inspect({ method: 'POST', target: '/', headers: ['content-type', type], body }).verdict

const proto = (text: string): Buffer => Buffer.concat([Buffer.from([10, text.length]), Buffer.from(text)])
const framed = (flag: number, message: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head[0] = flag
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}
/** A map of CBOR with one string, sent in chunks of a few bytes. */
const chunked = (kind: 0x40 | 0x60, text: string, size: number): Buffer => {
  const chunks = text.match(new RegExp(`.{1,${size}}`, 'gs')) ?? []
  const coded = chunks.flatMap(chunk => [Buffer.from([kind | chunk.length]), Buffer.from(chunk)])
  return Buffer.concat([Buffer.from([0xa1, 0x61, 0x71, kind | 0x1f]), ...coded, Buffer.from([0xff])])
}

describe('messages of binary protocols', () => {
  for (const attack of ATTACKS) {
    test(`hide nothing in a compressed frame of gRPC or Connect: ${attack}`, () => {
      for (const packed of [gzipSync(proto(attack)), gzipSync(proto(attack), { level: 0 })])
        for (const type of ['application/grpc-web+proto', 'application/grpc', 'application/connect+proto']) {
          const body = framed(1, packed)
          assert.equal(ofBody(type, body), 'block', type)
          assert.equal(ofBody(type, Buffer.concat([framed(0, proto('lamp')), body])), 'block', type)
        }
      const text = Buffer.from(framed(1, gzipSync(proto(attack))).toString('base64'))
      assert.equal(ofBody('application/grpc-web-text', text), 'block')
    })

    test(`hide nothing in the chunks of a string of CBOR: ${attack}`, () => {
      for (const kind of [0x40, 0x60] as const)
        for (const size of [1, 2, 5, 23])
          for (const type of ['application/cbor', 'application/senml+cbor'])
            assert.equal(ofBody(type, chunked(kind, attack, size)), 'block', `${kind} ${size}`)
    })
  }

  test('pass where they hold nothing of the kind, or are broken', () => {
    assert.equal(ofBody('application/grpc', framed(1, gzipSync(proto('two lamps for the hall')))), 'pass')
    assert.equal(ofBody('application/cbor', chunked(0x60, 'two lamps for the hall', 3)), 'pass')
    for (const bytes of [[0x7f], [0x5f, 0x59, 1], [0x7f, 0x7f, 0xff], [1, 0, 0, 0, 9, 0x1f, 0x8b, 8]]) {
      assert.equal(ofBody('application/cbor', Buffer.from(bytes)), 'pass')
      assert.equal(ofBody('application/grpc', Buffer.from(bytes)), 'pass')
    }
  })
})
