import { ConfigError, type Event, type Finding, parseDuration } from '@postern/core'
import {
  actorKindOf,
  type FieldReader,
  fieldNames,
  fieldReader,
  KEYWORD_FIELDS,
  ownName,
} from './event-fields.ts'
import { hasFewValues, type Needs, needsOfAny } from './need.ts'
import { asList, isMapping, type Mapping, type RuleIssues, refuseUnknown } from './rule-issues.ts'
import type { DetectionRule, FilterRule, Respond } from './scenario.ts'
import { compileCondition, join, NEVER, type Selection } from './sigma-condition.ts'
import { compileValue, readerOrIssue, type ValueTest } from './sigma-value.ts'

/** Keys that every Sigma document may have; those without an effect here are for people. */
export const COMMON_KEYS: readonly string[] = [
  'title',
  'id',
  'name',
  'related',
  'taxonomy',
  'status',
  'description',
  'license',
  'author',
  'references',
  'date',
  'modified',
  'falsepositives',
  'level',
  'tags',
  'scope',
  'fields',
  'respond',
  'custom',
]

const SEVERITY: Readonly<Record<string, Finding['severity']>> = {
  informational: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  critical: 'critical',
}

export interface RuleHead {
  readonly id: string
  readonly names: readonly string[]
  readonly title: string
  readonly severity: Finding['severity']
}

/**
 * Title, id, name and level of any document; the name is what people call it by, so it is the id where there
 * is one.
 */
export function readHead(document: Mapping, place: string, issues: RuleIssues): RuleHead {
  const { title, id, name, level } = document
  if (typeof title !== 'string' || title === '' || title.length > 256)
    issues.add(`${place}.title`, 'is missing')
  const known = [name, id].filter(text => typeof text === 'string' && text !== '')
  if (known.some(text => typeof text !== 'string' || text.length > 100))
    issues.add(place, 'has an id or name over 100 characters')
  const severity = SEVERITY[typeof level === 'string' ? level : 'medium']
  if (severity === undefined)
    issues.add(`${place}.level`, 'is not a level', `one of ${Object.keys(SEVERITY).join(', ')}`)
  const names = known.map(String)
  return {
    id: names[0] ?? String(title),
    names: names.length === 0 ? [String(title)] : names,
    title: String(title),
    severity: severity ?? 'medium',
  }
}

/** Reads a document with `detection:`. */
export function readDetection(document: Mapping, place: string, issues: RuleIssues): DetectionRule {
  refuseUnknown(document, [...COMMON_KEYS, 'logsource', 'detection'], place, issues)
  return {
    kind: 'detection',
    ...readHead(document, place, issues),
    place,
    sees: readLogsource(document['logsource'], `${place}.logsource`, issues),
    ...compiled(readSelections(document['detection'], `${place}.detection`, issues)),
    respond: readRespond(document['respond'], ['actor.address'], place, issues),
  }
}

/** Reads a document with `filter:`: the rules it names match only where its condition holds too. */
export function readFilter(document: Mapping, place: string, issues: RuleIssues): FilterRule {
  refuseUnknown(document, [...COMMON_KEYS, 'logsource', 'filter'], place, issues)
  const filter = document['filter']
  const references = isMapping(filter) ? asList(filter['rules']).map(String) : []
  if (references.length === 0) issues.add(`${place}.filter.rules`, 'names no rule')
  const detection = isMapping(filter)
    ? Object.fromEntries(Object.entries(filter).filter(([key]) => key !== 'rules'))
    : filter
  return {
    kind: 'filter',
    title: readHead(document, place, issues).title,
    place,
    references,
    matches: readSelections(detection, `${place}.filter`, issues).test,
  }
}

/**
 * `category: webserver` and `proxy` are requests; `product: postern` is any event, with `service` those of
 * one package.
 */
function readLogsource(source: unknown, place: string, issues: RuleIssues): (event: Event) => boolean {
  if (!isMapping(source)) {
    issues.add(place, 'is missing', 'write category: webserver, or product: postern')
    return () => false
  }
  refuseUnknown(source, ['category', 'product', 'service', 'definition'], place, issues)
  const { category, product, service } = source
  if (category === 'webserver' || category === 'proxy') return event => event.type === 'http'
  if (product === 'postern' && category === undefined) {
    if (service === undefined) return () => true
    const prefix = `${String(service)}.`
    return event => event.type === service || event.type.startsWith(prefix)
  }
  issues.add(
    place,
    `Postern sees no events of ${JSON.stringify(source).slice(0, 80)}`,
    'it sees category: webserver, category: proxy and product: postern',
  )
  return () => false
}

function compiled({ test, needs, reads }: Selection): Pick<DetectionRule, 'matches' | 'needs' | 'reads'> {
  return { matches: test, needs, reads }
}

function readSelections(detection: unknown, place: string, issues: RuleIssues): Selection {
  if (!isMapping(detection) || detection['condition'] === undefined) {
    issues.add(place, 'is missing, or has no condition')
    return NEVER
  }
  const selections = new Map<string, Selection>()
  for (const [name, value] of Object.entries(detection)) {
    if (name !== 'condition') selections.set(name, readSelection(value, `${place}.${name}`, issues))
  }
  const conditions = asList(detection['condition'])
  if (conditions.length !== 1 || typeof conditions[0] !== 'string') {
    issues.add(`${place}.condition`, 'must be one text')
    return NEVER
  }
  return compileCondition(conditions[0], selections, `${place}.condition`, issues)
}

/** A map: all fields; a list of maps: any of them; a list of texts: keywords anywhere. */
function readSelection(value: unknown, place: string, issues: RuleIssues): Selection {
  if (isMapping(value)) {
    const fields = Object.entries(value).map(([key, values]) => readField(key, values, place, issues))
    if (fields.length > 0) return join(fields, 'every')
  }
  const items = asList(value)
  if (items.length > 0 && items.every(isMapping))
    return join(
      items.map(item => readSelection(item, place, issues)),
      'some',
    )
  if (items.length > 0 && items.every(item => typeof item === 'string' || typeof item === 'number')) {
    const test = compileValue(items, ['contains'], place, issues)
    const fields = KEYWORD_FIELDS.map(name => ({ name, read: fieldReader(name) ?? NO_VALUE }))
    return {
      cost: test.cost * fields.length,
      test: event => fields.some(({ read }) => test.test(read(event))),
      needs: needsOfAny(fields.map(({ name, read }) => needsOf(name, read, test))),
      reads: KEYWORD_FIELDS,
    }
  }
  issues.add(place, 'must be a map of fields, a list of such maps, or a list of keywords')
  return NEVER
}

const NO_VALUE: FieldReader = () => undefined

function readField(key: string, values: unknown, place: string, issues: RuleIssues): Selection {
  const [field = '', ...modifiers] = key.split('|')
  const isNull = values === null
  const test = compileValue(isNull ? [null] : asList(values), modifiers, `${place}.${key}`, issues)
  const reader = readerOrIssue(field, place, issues, fieldNames())
  if (reader === undefined) return NEVER
  const needs = needsOf(ownName(field), reader, test)
  return {
    cost: test.cost,
    test: event => test.test(reader(event)),
    needs,
    reads: [ownName(field)],
    isWhole: needs?.[0]?.kind === 'values',
  }
}

/** What an event needs for the test of a field to hold. */
function needsOf(field: string, read: FieldReader, test: ValueTest): Needs {
  if (hasFewValues(field)) return [{ kind: 'values', field, read, holds: test.test }]
  if (field === 'request.decoded' && test.words !== undefined) return [{ kind: 'words', words: test.words }]
  return undefined
}

const ACTIONS: readonly string[] = ['throttle', 'challenge', 'block', 'alert']

/**
 * Reads `respond: { action, for, silence, on }`. Without it a rule only alerts. A measure is held against the
 * first field of the group that names an actor, or against `on`.
 */
export function readRespond(
  value: unknown,
  groupBy: readonly string[],
  place: string,
  issues: RuleIssues,
): Respond | undefined {
  if (value === undefined) return undefined
  const at = `${place}.respond`
  if (!isMapping(value)) {
    issues.add(at, 'must be a map', 'e.g. respond: { action: block, for: 15m }')
    return undefined
  }
  refuseUnknown(value, ['action', 'for', 'silence', 'on'], at, issues)
  const { action, on } = value
  if (!isAction(action)) {
    issues.add(`${at}.action`, 'is not an action', `one of ${ACTIONS.join(', ')}`)
    return undefined
  }
  const duration = readDuration(value['for'], action === 'alert' ? 0 : undefined, `${at}.for`, issues)
  const silence = readDuration(
    value['silence'],
    Math.min(duration || 300_000, 300_000),
    `${at}.silence`,
    issues,
  )
  const field = typeof on === 'string' ? on : groupBy.find(name => actorKindOf(name) !== undefined)
  const actor = field === undefined ? undefined : actorKindOf(field)
  if (actor === undefined && action !== 'alert')
    issues.add(
      at,
      'has no actor to apply the remediation to',
      'group by c-ip or actor.principal, or name one with "on"',
    )
  if (
    on !== undefined &&
    on !== 'actor.address' &&
    on !== 'c-ip' &&
    !groupBy.includes(String(on)) &&
    groupBy.length > 0
  )
    issues.add(
      `${at}.on`,
      'must be one of the fields of group-by',
      'events of several actors would fall on the last of them',
    )
  return { action, duration, silence, actor: actor ?? 'address' }
}

function isAction(value: unknown): value is Respond['action'] {
  return typeof value === 'string' && ACTIONS.includes(value)
}

/** A duration as Sigma writes it (`15m`, `1d`), in milliseconds. */
export function readDuration(
  value: unknown,
  fallback: number | undefined,
  place: string,
  issues: RuleIssues,
): number {
  if (value === undefined && fallback !== undefined) return fallback
  try {
    const duration = parseDuration(typeof value === 'string' ? value : Number.NaN, place)
    if (duration >= 1 && duration <= 31 * 86_400_000) return duration
    issues.add(place, 'must be between 1ms and 31d')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    issues.add(place, value === undefined ? 'is missing' : 'is not a duration', 'e.g. 30s, 15m, 1h, 7d')
  }
  return 1
}
