import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killSuite } from './support/kill-suite.ts'
import { seeded } from './support/power-cut-files.ts'

test('kill -9 under load loses no acknowledged event (the long form is `npm run test:kill`)', async () => {
  const totals = await killSuite(Number(process.env['POSTERN_KILLS'] ?? 8), seeded(1))
  assert.ok(totals.acknowledged > 0)
})
