import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditReadings } from '../src/admin/audit-readings.ts'
import { Metrics } from '../src/telemetry/metrics.ts'

test('the page shows how far the index and each sink are behind, and what waits, was lost or coalesced', () => {
  const audit = {
    counts: () => ({ durable: 1_000, published: 400, waiting: 7, lost: 3, coalesced: 20 }),
  }
  const shippers = [{ name: 'https://siem.example.com', behind: 400 }]
  const page = new Metrics().page([], auditReadings({ audit, shippers }))
  for (const line of [
    '# TYPE postern_audit_entries gauge\npostern_audit_entries 1000',
    'postern_audit_index_behind_entries 600',
    'postern_audit_waiting_events 7',
    '# TYPE postern_audit_lost_events_total counter\npostern_audit_lost_events_total 3',
    'postern_audit_coalesced_events_total 20',
    'postern_audit_ship_behind_entries{sink="https://siem.example.com"} 400',
  ])
    assert.ok(page.includes(`${line}\n`), line)
  assert.deepEqual(auditReadings({ audit: undefined, shippers: undefined }), [])
})
