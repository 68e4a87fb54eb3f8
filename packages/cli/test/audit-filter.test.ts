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

  for (const [since, hint] of [
    ['7', /write the unit, e\.g\. 7d or 7h/],
    ['-1', /write the unit/],
    ['0', /write the unit/],
    ['7.5', /write the unit/],
    ['Nov 28', /e\.g\. 2h/],
    ['1795898673100', /e\.g\. 2h/],
    ['2026-13-45', /e\.g\. 2h/],
    ['yesterday', /e\.g\. 2h/],
  ] as const)
    test(`refuse what a clock of another form would read as some time: ${since}`, () => {
      for (const name of ['since', 'until']) assert.throws(() => auditFilter({ [name]: since }, AT), hint)
    })
})

describe('--address', () => {
  test('takes one address in any spelling, and refuses what no entry can have', () => {
    assert.equal(auditFilter({ address: '::ffff:192.0.2.1' }, 0).query.address, '192.0.2.1')
    assert.equal(auditFilter({ address: '2001:DB8:0::7' }, 0).query.address, '2001:db8::7')
    assert.throws(() => auditFilter({ address: '10.0.0.0/8' }, 0), /not by a range/)
    for (const address of ['1.2', 'example.com', '127.1', ''])
      assert.throws(() => auditFilter({ address }, 0), /is not an IP address/)
  })
})
