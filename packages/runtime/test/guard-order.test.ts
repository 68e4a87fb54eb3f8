import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Access } from '@postern/access'
import { type Config, loadConfig } from '@postern/config'
import { ALLOW, type Guard, VirtualClock } from '@postern/core'
import type { OpenAccess } from '../src/access/open-access.ts'
import { buildEngine } from '../src/engine/build-engine.ts'
import { memoryResources } from '../src/resources/open-resources.ts'

const PAGE = readFileSync(new URL('../../../docs/architecture.md', import.meta.url), 'utf8')

/** What a step of docs/architecture.md calls each guard, in the order of the page. */
const STEPS: readonly (readonly [step: string, words: string, guard: string])[] = [
  ['2 Screen', 'Bans on addresses', 'remediation'],
  ['2 Screen', 'HTTP checks', 'protocol'],
  ['2 Screen', 'traps', 'honey'],
  ['2 Screen', 'limits on addresses and routes', 'throttle'],
  ['3 Identify', '`identify`', 'identify'],
  ['4 Guards', 'Bans and limits on principals', 'remediation'],
  ['4 Guards', 'requests from other sites', 'csrf'],
  ['4 Guards', 'login defence', 'login'],
  ['4 Guards', 'your guards', 'own'],
  ['4 Guards', 'access rules', 'access'],
  ['4 Guards', 'inspection', 'inspect'],
]

test('guards are asked in the order in which docs/architecture.md tells the story of a request', async () => {
  const own: Guard = { name: 'own', failure: 'closed', decide: () => ALLOW }
  const config: Config = {
    console: {},
    identify: () => ({ kind: 'user', id: 'ann' }),
    csrf: true,
    honey: { fields: ['website'] },
    routes: { '/**': { require: { role: 'clerk' } } },
    mode: 'observe',
    guards: [own],
  }
  const loaded = await loadConfig({ config, folder: '/nowhere', environment: {} })
  const quick = { ...loaded, config: { ...loaded.config, scenarios: false } as const }
  const resources = await memoryResources(quick, new VirtualClock())
  const access: OpenAccess = {
    access: new Access({}),
    policies: undefined,
    approvals: undefined,
    budgets: undefined,
    reads: undefined,
    probes: [],
    close: async () => {},
  }
  const { engine } = buildEngine(quick, { ...resources, access })
  const exchange = engine.open({
    method: 'GET',
    target: '/orders',
    headers: ['Host', 'shop.example'],
    peer: '203.0.113.9',
    secure: false,
    httpVersion: '1.1',
    body: undefined,
    native: undefined,
  })
  await engine.decide(exchange)
  const asked = exchange.guardTimes?.map(({ guard }) => guard) ?? []
  let last = -1
  let [lastStep, lastAt] = ['', -1]
  for (const [step, words, guard] of STEPS) {
    const row = PAGE.split('\n').find(line => line.startsWith(`| ${step} |`)) ?? ''
    const at = row.indexOf(words)
    assert.notEqual(at, -1, `${step} does not name ${words}`)
    if (step === lastStep) assert.ok(at > lastAt, `${step} names ${words} too early`)
    ;[lastStep, lastAt] = [step, at]
    const place = asked.indexOf(guard, last + 1)
    assert.ok(place > last, `${guard} is not asked after ${asked[last] ?? 'the start'}: ${asked.join(', ')}`)
    last = place
  }
})
