import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

/** Bytes that look like chance, the same in every run. */
function noise(seed: number, length: number): Buffer {
  const blocks: Buffer[] = []
  for (let block = 0; block * 32 < length; block++)
    blocks.push(createHash('sha256').update(`${seed} ${block}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}

function verdict(contentType: string, body: Buffer, target = '/upload'): string {
  const headers = contentType === '' ? [] : ['content-type', contentType]
  return inspect({ method: 'POST', target, headers, body }).verdict
}

function upload(name: string, type: string, content: Buffer): string {
  const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`
  return verdict(
    'multipart/form-data; boundary=b',
    Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--b--\r\n')]),
  )
}

/** Three bytes that open a program, in noise, as one picture in some hundred has them. */
const OPENED = ['<?=', 'qx{', 'QX{', ' qx{']

describe('bytes that are not text', () => {
  test('a picture in which a program seems to begin passes', () => {
    for (let seed = 0; seed < 60; seed++) {
      const content = noise(seed, 8_000)
      for (const [index, opened] of OPENED.entries()) content.write(opened, 1_000 * (index + 1), 'latin1')
      for (const name of ['IMG_2031.jpg', 'scan.png', 'drawing.webp', 'avatar'])
        assert.equal(upload(name, 'image/jpeg', content), 'pass', `${seed} ${name}`)
      assert.equal(verdict('application/octet-stream', content), 'pass', `${seed}`)
    }
  })

  test('a program in a picture is found', () => {
    const programs = [
      '<?=`$_GET[1]`?>',
      '<?=`$_GET[1]`;',
      '<?php system($_GET[1]);',
      '(metadata "\\c${qx{id;uname -a}}")',
      '<?=`id`?>',
    ]
    for (const [index, program] of programs.entries()) {
      const content = noise(index, 8_000)
      content.write(program, 3_000, 'latin1')
      assert.equal(upload('IMG_2031.jpg', 'image/jpeg', content), 'block', program)
      const end = Buffer.concat([content.subarray(0, 2_000), Buffer.from(program)])
      assert.equal(upload('IMG_2031.jpg', 'image/jpeg', end), 'block', program)
    }
  })

  test('short messages of noise pass', () => {
    for (let seed = 0; seed < 3_000; seed++)
      assert.equal(verdict('application/x-protobuf', noise(seed, 1_500)), 'pass', `${seed}`)
  })

  const text = "1' or 1=1-- -"
  const bytes = Buffer.from(text)
  const { length } = bytes
  /** One field as each protocol writes it, between bytes of other kinds. */
  const MESSAGES: Readonly<Record<string, Buffer>> = {
    protobuf: Buffer.of(0x0a, length),
    messagepack: Buffer.of(0x81, 0xa2, 0x69, 0x64, 0xa0 | length),
    'messagepack, eight bits': Buffer.of(0xd9, length),
    cbor: Buffer.of(0xa1, 0x62, 0x69, 0x64, 0x60 | length),
    smile: Buffer.of(0x3a, 0x29, 0x0a, 1, 0xfa, 0x81, 0x69, 0x64, 0x80, 0x40 | (length - 1)),
    bson: Buffer.of(2, 0x69, 0x64, 0, length + 1, 0, 0, 0),
    thrift: Buffer.of(11, 0, 1, 0, 0, 0, length),
    'amf 3': Buffer.of(6, (length << 1) | 1),
    avro: Buffer.of(length << 1),
  }
  for (const [protocol, before] of Object.entries(MESSAGES)) {
    test(`a short text in a message is read: ${protocol}`, () => {
      const message = Buffer.concat([Buffer.of(8, 1, 2, 0x12), before, bytes, Buffer.of(0, 8, 0x96, 1)])
      assert.equal(verdict('application/octet-stream', message), 'block')
    })
  }
})
