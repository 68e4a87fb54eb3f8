import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { inspect } from '../src/index.ts'
import { readLongText } from '../src/text/long-text.ts'
import { finishSteps } from '../src/value/steps.ts'

/** Bytes that look like chance, and are the same each time. */
function bytes(count: number): Buffer {
  const parts = Array.from({ length: Math.ceil(count / 32) }, (_, i) =>
    createHash('sha256').update(`${i}`).digest(),
  )
  return Buffer.concat(parts).subarray(0, count)
}

function wrapped(coded: string, length: number, lineEnd: string): string {
  return (coded.match(new RegExp(`.{1,${length}}`, 'g')) ?? []).join(lineEnd)
}

function readable(text: string): string | undefined {
  return finishSteps(readLongText(text, 'body', { isPaused: false, work: () => undefined }))
}

function verdictOf(data: string): string {
  const body = Buffer.from(JSON.stringify({ name: 'report.bin', data }))
  return inspect({ method: 'POST', target: '/files', headers: ['content-type', 'application/json'], body })
    .verdict
}

describe('a file in base64 whose lines are broken', () => {
  const file = bytes(60_000).toString('base64')
  for (const [kind, lines] of Object.entries({
    'as in a mail': wrapped(file, 76, '\r\n'),
    'as in a certificate': wrapped(file, 64, '\n'),
    'with a line end behind it': `${wrapped(file, 76, '\n')}\n`,
    'whose last line is whole': wrapped(file.slice(0, 76 * 400), 76, '\n'),
  })) {
    test(`${kind}, is not read as text`, () => {
      assert.ok(readable(lines) === readable(file))
      assert.equal(verdictOf(lines), 'pass')
    })
  }

  test('is read as what it is without them', () => {
    const entity = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
    const document = Buffer.from(`<?xml version="1.0"?>${entity}${'<a>b c</a>\n'.repeat(3_000)}`).toString(
      'base64',
    )
    assert.equal(verdictOf(document), 'block')
    assert.equal(verdictOf(wrapped(document, 76, '\r\n')), 'block')
  })

  test('is text all the same where a line is of another alphabet or length', () => {
    const lines = wrapped(file, 76, '\n').split('\n')
    for (const odd of ["' UNION SELECT password FROM users --".padEnd(76, 'A'), "1';DROP TABLE users--"]) {
      for (const at of [1, 300, lines.length - 1]) {
        const broken = lines.toSpliced(at, 1, odd).join('\n')
        assert.ok(readable(broken) === broken, `${odd} in line ${at}`)
      }
    }
  })
})
