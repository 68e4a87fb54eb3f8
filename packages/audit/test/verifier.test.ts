import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { sha256, verifyLog } from '../src/verifier.ts'
import { conformance } from './support/conformance.ts'

describe('the verifier', () => {
  test('hashes as Node does, for every length around a block and beyond', () => {
    for (let length = 0; length < 300; length++) {
      const bytes = Buffer.alloc(length, length)
      assert.equal(
        Buffer.from(sha256(bytes)).toString('hex'),
        createHash('sha256').update(bytes).digest('hex'),
      )
    }
  })

  test('imports nothing, so that a browser can load it as it is', () => {
    const source = readFileSync(new URL('../src/verifier.ts', import.meta.url), 'utf8')
    assert.doesNotMatch(source, /^\s*import\b|\bimport\(|\brequire\(|\bprocess\.|\bBuffer\b/m)
  })

  const material = conformance('tessera-log/testdata/log')

  test("verifies Tessera's own log", { skip: material.skip }, async () => {
    const report = await verifyLog({
      read: async path => readFileSync(join(material.path, path)),
      verifierKeys: ['example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'],
      origin: 'example.com/log/testdata',
      remembered: readFileSync(join(material.path, 'checkpoint.7'), 'utf8'),
      leaves: 'opaque',
    })
    assert.deepEqual([report.ok, report.size, report.entries], [true, 15, 15])
  })

  test("does not take another log's key or name", { skip: material.skip }, async () => {
    const read = async (path: string): Promise<Uint8Array> => readFileSync(join(material.path, path))
    for (const options of [
      { verifierKeys: [] },
      { verifierKeys: ['example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSy'] },
      {
        verifierKeys: ['example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'],
        origin: 'example.com/another',
      },
    ]) {
      const report = await verifyLog({ read, leaves: 'opaque', ...options })
      assert.equal(report.ok, false)
      assert.equal(report.problems[0]?.path, 'checkpoint')
    }
  })
})
