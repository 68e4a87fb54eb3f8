import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { inspectRecord, type RequestRecord } from '../src/inspect-record.ts'

const root = process.env['POSTERN_FAULTS'] ?? join(import.meta.dirname, '../../../../shared/faults')
const file = join(root, 'detect.jsonl')

interface Fault extends RequestRecord {
  readonly class: string
  readonly expect: 'block' | 'pass'
}

describe('requests that failed before', () => {
  if (!existsSync(file)) {
    test('are not on this machine', context => {
      assert.notEqual(process.env['CI'], 'true', `no requests at ${file}`)
      context.diagnostic(`no requests at ${file}: nothing was checked; set POSTERN_FAULTS`)
    })
    return
  }
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue
    const fault = JSON.parse(line) as Fault
    test(`${fault.class}: ${fault.id} is to ${fault.expect}`, () => {
      const { verdict, matches } = inspectRecord(fault)
      assert.equal(verdict, fault.expect, matches.map(match => `${match.rule} ${match.span}`).join('; '))
    })
  }
})
