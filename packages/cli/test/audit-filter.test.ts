import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { auditFilter } from '../src/command/audit-filter.ts'

const AT = Date.UTC(2026, 10, 27, 18, 57, 21, 408)

describe('--since and --until', () => {
  for (const zone of ['UTC', 'Pacific/Auckland', 'America/Los_Angeles'])
    test(`take a time as audit search prints it, in ${zone} too`, t => {
      const before = process.env['TZ']
      process.env['TZ'] = zone
      t.after(() => {
        if (before === undefined) delete process.env['TZ']
        else process.env['TZ'] = before
      })
      for (const since of [
        '2026-11-27 18:57:21.408',
        '2026-11-27T18:57:21.408',
        '2026-11-27T18:57:21.408Z',
        '2026-11-27T10:57:21.408-08:00',
      ])
        assert.equal(auditFilter({ since }, 0).query.from, AT, since)
      assert.equal(auditFilter({ until: '2026-11-27 18:57' }, 0).query.to, Date.UTC(2026, 10, 27, 18, 57))
      assert.equal(auditFilter({ until: '2026-11-27' }, 0).query.to, Date.UTC(2026, 10, 27))
    })
})
