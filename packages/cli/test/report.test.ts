import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ObserveCounts, type ObserveReport } from '../src/report/observe-report.ts'
import { reportHtml } from '../src/report/report-html.ts'
import { startBackend } from './backend.ts'
import { cli, startGatewayProcess } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-report-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a report says what observe mode would have refused, by rule, route and actor, with the exceptions', {
  timeout: 90_000,
}, async t => {
  const backend = await startBackend()
  t.after(() => backend.close())
  const gateway = await startGatewayProcess(['--observe', '--to', backend.url], folder)
  for (let i = 0; i < 3; i++)
    assert.equal((await fetch(`${gateway.url}/search?id=%3Cscript%3Ealert(${i})%3C/script%3E`)).status, 200)
  assert.equal((await fetch(`${gateway.url}/fine`)).status, 200)
  await gateway.stop()

  const json = await cli(['report', '--since', '7d', '--format', 'json'], folder)
  assert.equal(json.code, 0, json.stderr)
  const report = JSON.parse(json.stdout) as ObserveReport
  assert.deepEqual([report.requests, report.denied, report.throttled], [3, 3, 0])
  assert.match(report.rules[0]?.key ?? '', /^inspect\/xss\//)
  assert.equal(report.routes[0]?.key, 'GET /search')
  assert.deepEqual([report.actors[0]?.key, report.actors[0]?.count], ['127.0.0.1', 3])
  assert.match(report.exceptions[0]?.key ?? '', /except/)

  const text = await cli(['report'], folder)
  assert.match(text.stdout, /3 requests would have been refused: 3 denied/)
  assert.match(text.stdout, /exceptions that would let them pass/)
  const html = await cli(['report', '--format', 'html'], folder)
  assert.match(html.stdout, /^<!doctype html>[\s\S]*<strong>3<\/strong> requests/)
  assert.equal((await cli(['report', '--format', 'pdf'], folder)).code, 2)
})

test('a report counts what the log told as one, and runs nothing that a caller sent', () => {
  const counts = new ObserveCounts({ path: undefined, value: {} })
  const event = {
    type: 'audit.coalesced',
    time: 0,
    actor: { address: '192.0.2.1' },
    request: { id: 'r', method: 'GET', host: 'h', path: '/<img src=x onerror=alert(1)>', query: '' },
    decision: 'allow',
    observed: 'deny',
    data: { count: 40 },
  } as const
  counts.take(event)
  counts.take({ ...event, observed: undefined })
  const report = counts.report(10)
  assert.deepEqual([report.requests, report.routes[0]?.count], [40, 40])
  assert.doesNotMatch(reportHtml(report), /<img|<script/)
})
