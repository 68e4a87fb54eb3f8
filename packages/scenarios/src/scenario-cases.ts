import { AccessLogReader, logEvent } from '@postern/access-log'
import { type Event, parseAddress, parseDuration, parseRequestPath, redactQuery } from '@postern/core'
import { asList, isMapping, type Mapping, RuleIssues, refuseUnknown } from './rule-issues.ts'
import { scenarioDetector } from './scenario-detector.ts'
import type { ScenarioSet, ScenarioText } from './scenario-set.ts'
import { yamlPackage } from './yaml-package.ts'

/** How one case of a file went. */
export interface CaseResult {
  readonly place: string
  readonly scenario: string
  readonly name: string
  readonly ok: boolean
  /** The actors the case wants found, sorted. */
  readonly wanted: readonly string[]
  /** The actors that were found. */
  readonly found: readonly string[]
}

const START = Date.UTC(2026, 0, 5, 12)
const MAX_EVENTS = 100_000

/**
 * Runs the cases of files (`*.cases.yml`) against the rules: each says which actors one scenario must find in
 * its events. A case gives `log` (lines of an access log), `events` (as Postern records them), or `requests`,
 * each of which stands for `count` requests `every` so often:
 * `{ from, method, target, status, agent, user, type, count, every, at }`; `{n}` in a text is its number.
 * @throws ConfigError for files that cannot be read as cases
 */
export function testScenarioCases(
  scenarios: ScenarioSet,
  sources: readonly ScenarioText[],
): readonly CaseResult[] {
  const issues = new RuleIssues()
  const results: CaseResult[] = []
  const known = new Set(scenarios.list().map(summary => summary.id))
  for (const source of sources) {
    const file = readFile(source, issues)
    if (file === undefined) continue
    refuseUnknown(file, ['scenario', 'cases'], source.place, issues)
    const scenario = String(file['scenario'])
    if (!known.has(scenario))
      issues.add(`${source.place}.scenario`, `no scenario that reports is named "${scenario}"`)
    for (const [index, one] of asList(file['cases']).entries()) {
      const place = `${source.place}.cases[${index}]`
      if (!isMapping(one)) {
        issues.add(place, 'must be a map')
        continue
      }
      refuseUnknown(one, ['name', 'log', 'events', 'requests', 'find'], place, issues)
      const events = eventsOf(one, place, issues)
      const wanted = asList(one['find']).map(String).sort()
      const found = findIn(scenarios, scenario, events)
      results.push({
        place,
        scenario,
        name: String(one['name'] ?? index),
        ok: wanted.join('\n') === found.join('\n'),
        wanted,
        found,
      })
    }
  }
  issues.throwIfAny()
  return results
}

function readFile(source: ScenarioText, issues: RuleIssues): Mapping | undefined {
  try {
    const value: unknown = yamlPackage().parse(source.text, { maxAliasCount: 0 })
    if (isMapping(value)) return value
    issues.add(source.place, 'is not a file of cases', 'it needs "scenario" and "cases"')
  } catch (error) {
    issues.add(source.place, error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'is not YAML')
  }
  return undefined
}

function findIn(scenarios: ScenarioSet, scenario: string, events: readonly Event[]): readonly string[] {
  const detector = scenarioDetector({ scenarios })
  const found = new Set<string>()
  for (const event of events) {
    for (const finding of detector.observe(event) ?? [])
      if (finding.scenario === scenario) found.add(finding.actor.value)
  }
  return [...found].sort()
}

function eventsOf(one: Mapping, place: string, issues: RuleIssues): readonly Event[] {
  const events: Event[] = []
  const lines = typeof one['log'] === 'string' ? one['log'].split('\n') : []
  const log = new AccessLogReader()
  for (const [index, line] of lines.entries()) {
    const record = log.read(line.trim())
    if (record === 'nothing') continue
    if (record === undefined) issues.add(`${place}.log`, `line ${index + 1} is not a line of an access log`)
    else events.push(logEvent(record, `line-${index + 1}`))
  }
  for (const [index, event] of asList(one['events']).entries()) {
    if (isMapping(event)) events.push(plainEvent(event))
    else issues.add(`${place}.events[${index}]`, 'must be a map')
  }
  for (const [index, request] of asList(one['requests']).entries()) {
    if (isMapping(request)) events.push(...repeated(request, `${place}.requests[${index}]`, issues))
    else issues.add(`${place}.requests[${index}]`, 'must be a map')
  }
  return events.sort((a, b) => a.time - b.time)
}

/** Events are trusted to be what they say: a wrong one only fails its case. */
function plainEvent(event: Mapping): Event {
  const time = typeof event['time'] === 'string' ? Date.parse(event['time']) : Number(event['time'] ?? START)
  return { type: 'http', actor: {}, ...event, time } as Event
}

const REQUEST_KEYS = [
  'from',
  'method',
  'target',
  'status',
  'agent',
  'user',
  'tenant',
  'type',
  'count',
  'every',
  'at',
  'data',
  'rows',
  'decision',
  'guard',
]

function repeated(request: Mapping, place: string, issues: RuleIssues): readonly Event[] {
  refuseUnknown(request, REQUEST_KEYS, place, issues)
  const count = Number(request['count'] ?? 1)
  if (!Number.isInteger(count) || count < 1 || count > MAX_EVENTS) {
    issues.add(`${place}.count`, `must be 1 to ${MAX_EVENTS}`)
    return []
  }
  const every = parseDuration(String(request['every'] ?? '1s'), `${place}.every`)
  const at = START + parseDuration(String(request['at'] ?? '0s'), `${place}.at`)
  return Array.from({ length: count }, (_, n) => requestEvent(request, n + 1, at + n * every))
}

function requestEvent(request: Mapping, n: number, time: number): Event {
  const text = (key: string, fallback = ''): string =>
    String(request[key] ?? fallback).replaceAll('{n}', String(n))
  const target = text('target', '/')
  const path = parseRequestPath(target)
  const from = text('from', '192.0.2.7')
  const agent = text('agent')
  const { data } = request
  return {
    type: text('type', 'http'),
    time,
    actor: {
      address: parseAddress(from) ?? from,
      ...(request['user'] !== undefined && { principal: text('user') }),
      ...(request['tenant'] !== undefined && { tenant: text('tenant') }),
      ...(agent !== '' && { agent }),
    },
    request: {
      id: `request-${n}`,
      method: text('method', 'GET'),
      host: 'shop.example',
      path: path.canonical,
      query: redactQuery(path.query),
    },
    ...(request['decision'] !== undefined && { decision: text('decision') as Event['decision'] }),
    ...(request['guard'] !== undefined && { guard: text('guard') }),
    outcome: {
      status: Number(request['status'] ?? 200),
      duration: 1,
      bytes: 0,
      aborted: false,
      ...(request['rows'] !== undefined && { rows: Number(request['rows']) }),
    },
    data: { target, ...(isMapping(data) ? (data as Event['data']) : {}) },
  }
}
