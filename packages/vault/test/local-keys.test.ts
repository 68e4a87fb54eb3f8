import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { LocalKeys } from '../src/local/local-keys.ts'
import { open, seal } from '../src/local/local-record.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-local-'))
after(() => rmSync(folder, { recursive: true }))
const context = { tenant: '', table: 'note', column: 'body', row: ['7'], version: 0 }

describe('local keys', () => {
  it('survive their file', () => {
    const path = join(folder, 'keys')
    const keys = LocalKeys.create(path)
    const sealed = seal(keys, context, Buffer.from('hi'))
    assert.equal(open(LocalKeys.read(path), context, sealed).toString(), 'hi')
    assert.throws(() => LocalKeys.create(path), { code: 'POSTERN_CONFIG' })
  })

  it('that cannot be written say why: a file that is there, a folder that is not, a disk that takes nothing', () => {
    const path = join(folder, 'taken')
    writeFileSync(path, 'mine')
    assert.throws(() => LocalKeys.create(path), /taken: already exists(?!,)/)
    assert.throws(() => LocalKeys.create(join(folder, 'none', 'keys')), /its folder does not exist/)
    // Nobody can make a file there, whoever he is.
    assert.throws(() => LocalKeys.create('/sys/keys'), /cannot be written: the user it runs as may not write/)
  })

  it('rotate: old records open, new ones are of the new epoch, and a removed epoch opens no more', () => {
    const first = LocalKeys.generate()
    const old = seal(first, context, Buffer.from('old'))
    const second = first.rotated()
    assert.equal(open(second, context, old).toString(), 'old')
    const fresh = seal(second, context, Buffer.from('new'))
    assert.equal(fresh[3], 1)
    assert.throws(() => open(first, context, fresh), { code: 'POSTERN_INTEGRITY' })
    assert.throws(() => open(second.without(0), context, old), { code: 'POSTERN_INTEGRITY' })
    assert.throws(() => first.without(0), { code: 'POSTERN_CONFIG' })
  })

  it('leave no text of a key in what the engine keeps of its last regular expression', () => {
    const text = LocalKeys.generate().rotated().format()
    assert.match('before', /before/)
    LocalKeys.parse(text, 'keys')
    assert.equal(Reflect.get(RegExp, '$_'), 'before')
  })

  it('are read only as they are written', () => {
    const line = LocalKeys.generate().format().split('\n')[1] ?? ''
    for (const other of [
      `0${line}`,
      `+${line}`,
      ` ${line}`,
      `${line} `,
      `${line}\r`,
      line.replace(' ', '  '),
    ])
      assert.throws(() => LocalKeys.parse(other, 'keys'), { code: 'POSTERN_CONFIG' })
    assert.deepEqual([...LocalKeys.parse(line, 'keys').fingerprints().keys()], [0])
  })

  it('refuse a damaged file by line, one that others can read, and one that is missing; never printing a key', () => {
    const path = join(folder, 'damaged')
    const text = LocalKeys.generate().rotated().format()
    const broken = text.replace(/^1 ./m, match => (match === '1 A' ? '1 B' : '1 A'))
    writeFileSync(path, broken, { mode: 0o600 })
    assert.throws(
      () => LocalKeys.read(path),
      (error: Error) => error.message.includes(':3') && !error.message.includes(broken.split('\n')[2] ?? '-'),
    )
    writeFileSync(path, text)
    chmodSync(path, 0o644)
    assert.throws(() => LocalKeys.read(path), /other users/)
    assert.throws(() => LocalKeys.read(join(folder, 'absent')), { code: 'POSTERN_CONFIG' })
    assert.throws(() => LocalKeys.parse('', 'x'), /no key/)
  })
})
