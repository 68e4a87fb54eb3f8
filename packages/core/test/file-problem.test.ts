import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeProblem } from '../src/index.ts'

const error = (code: string): Error => Object.assign(new Error(`${code}: write`), { code })

const ADVICE: Readonly<Record<string, RegExp>> = {
  ENOSPC: /disk is full; free some space/,
  EDQUOT: /quota .*; free some space, or raise/,
  EFBIG: /that large; raise ulimit -f/,
  EROFS: /read-only; .*dmesg/,
  EMFILE: /no more files; raise ulimit -n/,
  ENFILE: /machine .*; raise fs\.file-max/,
  EACCES: /may not write there; .*chown/,
  EPERM: /may not write there; .*chown/,
  EIO: /disk reported an error; .*dmesg/,
  ENOENT: /was deleted/,
  ESTALE: /network file system .*; use a local disk/,
}

for (const [code, says] of Object.entries(ADVICE))
  test(`a file that cannot be written says why, what to do, and the code: ${code}`, () => {
    assert.match(writeProblem(error(code)), says)
    assert.match(writeProblem(error(code)), new RegExp(`\\(${code}\\)$`))
  })

test('a code without a meaning of its own stands alone, and what has none is said to', () => {
  assert.equal(writeProblem(error('EXDEV')), 'EXDEV')
  assert.equal(writeProblem(new Error('secret words')), 'unknown error')
})
