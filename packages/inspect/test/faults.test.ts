import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { faults } from '../../../test/conformance.ts'
import { inspectRecord, type RequestRecord } from '../src/inspect-record.ts'

const { path: file, skip } = faults('detect.jsonl')

interface Fault extends RequestRecord {
  readonly class: string
  readonly expect: 'block' | 'pass'
}

describe('requests that failed before', () => {
  if (skip !== false) {
    test('are not on this machine', context => context.skip(skip))
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
