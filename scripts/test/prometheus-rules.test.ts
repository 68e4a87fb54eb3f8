import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { promtool } from '../../test/promtool.ts'
import { root } from '../workspace.ts'
import { blocksOf, readPage } from './support/page.ts'

const RULES = join(root, 'docs/prometheus-rules.yaml')

/** Series as Prometheus would have scraped them, and what the rules make of them. */
const CASES = {
  rule_files: ['rules.yaml', 'alerts.yaml'],
  evaluation_interval: '30s',
  tests: [
    {
      interval: '30s',
      input_series: [
        { series: 'postern_requests_total{instance="a",status="2xx"}', values: '0+300x60' },
        { series: 'postern_refusals_total{instance="a",mode="enforce",rule="r"}', values: '0+60x60' },
        { series: 'postern_part_ok{instance="a",part="audit"}', values: '0x60' },
      ],
      promql_expr_test: [
        {
          expr: 'instance:postern_requests:rate5m',
          eval_time: '10m',
          exp_samples: [{ labels: 'instance:postern_requests:rate5m{instance="a"}', value: 10 }],
        },
        {
          expr: 'instance:postern_refusals:rate5m',
          eval_time: '10m',
          exp_samples: [{ labels: 'instance:postern_refusals:rate5m{instance="a"}', value: 2 }],
        },
      ],
      alert_rule_test: [
        {
          eval_time: '3m',
          alertname: 'PosternPartDown',
          exp_alerts: [
            {
              exp_labels: { instance: 'a', part: 'audit' },
              exp_annotations: { summary: 'Postern: audit is not well; /readyz says why' },
            },
          ],
        },
        { eval_time: '1m', alertname: 'PosternPartDown', exp_alerts: [] },
        {
          eval_time: '25m',
          alertname: 'PosternRefusesManyRequests',
          exp_alerts: [
            {
              exp_annotations: {
                summary: 'More than 5 % of requests are refused: an attack, or a rule that is too strict',
              },
            },
          ],
        },
        { eval_time: '25m', alertname: 'PosternBackendFails', exp_alerts: [] },
      ],
    },
  ],
}

test('Prometheus understands the recording rules and the alerts, and they give what the page says', t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-rules-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const rules = readPage('docs/prometheus-rules.yaml')
  const alerts =
    blocksOf(readPage('docs/metrics.md')).find(({ text }) => text.startsWith('groups:'))?.text ?? ''
  assert.equal(Array.isArray((parse(alerts) as { groups: unknown }).groups), true)
  writeFileSync(join(folder, 'rules.yaml'), rules)
  writeFileSync(join(folder, 'alerts.yaml'), alerts)
  writeFileSync(join(folder, 'cases.yaml'), JSON.stringify(CASES))
  const checked = promtool('check', 'rules', RULES, join(folder, 'alerts.yaml'))
  if (checked === undefined) {
    // Without Prometheus the form is what can be checked; the metrics they name are in metrics-page.test.ts.
    assert.equal(Array.isArray((parse(rules) as { groups: unknown }).groups), true)
    t.diagnostic('promtool is not installed: apt-get install prometheus')
    return
  }
  assert.equal(checked.code, 0, checked.text)
  const tried = promtool('test', 'rules', join(folder, 'cases.yaml'))
  assert.equal(tried?.code, 0, tried?.text)
})
