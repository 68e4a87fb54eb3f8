import { groupReader } from './counted-client.ts'
import { type FieldReader, fieldNames } from './event-fields.ts'
import { asList, isMapping, type Mapping, type RuleIssues, refuseUnknown } from './rule-issues.ts'
import type { CorrelationRule, CorrelationType } from './scenario.ts'
import { COMMON_KEYS, readDuration, readHead, readRespond } from './sigma-rule.ts'
import { readerOrIssue } from './sigma-value.ts'

const TYPES: readonly string[] = [
  'event_count',
  'value_count',
  'value_sum',
  'value_avg',
  'temporal',
  'temporal_ordered',
]
/**
 * A group keeps one time per event up to its threshold; a larger one would let an attacker choose our memory.
 */
const MAX_THRESHOLD = 10_000

/** Reads a document with `correlation:` (Sigma correlation rules, version 2.1). */
export function readCorrelation(document: Mapping, place: string, issues: RuleIssues): CorrelationRule {
  refuseUnknown(document, [...COMMON_KEYS, 'correlation', 'generate'], place, issues)
  const head = readHead(document, place, issues)
  const at = `${place}.correlation`
  const correlation = isMapping(document['correlation']) ? document['correlation'] : {}
  refuseUnknown(
    correlation,
    ['type', 'rules', 'group-by', 'timespan', 'condition', 'aliases', 'generate'],
    at,
    issues,
  )
  const type = String(correlation['type'])
  if (!TYPES.includes(type))
    issues.add(
      `${at}.type`,
      `"${type}" is not understood`,
      type === 'value_percentile'
        ? 'percentiles need all events at once; use value_count or value_sum'
        : `one of ${TYPES.join(', ')}`,
    )
  const references = asList(correlation['rules']).map(String)
  if (references.length === 0) issues.add(`${at}.rules`, 'names no rule')
  const isTemporal = type === 'temporal' || type === 'temporal_ordered'
  if (isTemporal && references.length < 2) issues.add(`${at}.rules`, 'needs at least two rules')
  const groupNames = asList(correlation['group-by']).map(String)
  const { threshold, value } = isTemporal
    ? { threshold: references.length, value: undefined }
    : readThreshold(correlation['condition'], type, at, issues)
  if (isTemporal && correlation['condition'] !== undefined)
    issues.add(`${at}.condition`, 'is not understood for temporal correlations', 'all named rules must match')
  return {
    kind: 'correlation',
    ...head,
    place,
    type: type as CorrelationType,
    references,
    groupBy: readGroups(groupNames, references, correlation['aliases'], at, issues),
    timespan: readDuration(correlation['timespan'], undefined, `${at}.timespan`, issues),
    threshold,
    value,
    generate: correlation['generate'] === true || document['generate'] === true,
    respond: readRespond(document['respond'], groupNames, place, issues),
  }
}

/**
 * Only conditions that a growing window can come to fulfil: `lt` and their like hold before anything
 * happened.
 */
function readThreshold(
  condition: unknown,
  type: string,
  place: string,
  issues: RuleIssues,
): { threshold: number; value: readonly FieldReader[] | undefined } {
  const at = `${place}.condition`
  if (!isMapping(condition)) {
    issues.add(at, 'is missing', 'e.g. condition: { gte: 10 }')
    return { threshold: 1, value: undefined }
  }
  const { field, ...bounds } = condition
  const entries = Object.entries(bounds)
  const [kind, bound] = entries[0] ?? []
  const isWhole = Number.isInteger(bound)
  if (entries.length !== 1 || (kind !== 'gte' && kind !== 'gt' && kind !== 'eq') || !isWhole) {
    issues.add(
      at,
      'must be one of gte, gt and eq with a whole number',
      'conditions that hold for nothing at all cannot fire on an event',
    )
    return { threshold: 1, value: undefined }
  }
  const threshold = Number(bound) + (kind === 'gt' ? 1 : 0)
  const isCount = type === 'event_count' || type === 'value_count'
  if (threshold < 1 || (isCount && threshold > MAX_THRESHOLD))
    issues.add(at, `must be between 1 and ${MAX_THRESHOLD}`)
  const fields = asList(field).map(String)
  if (type === 'event_count') {
    if (fields.length > 0) issues.add(`${at}.field`, 'is only for value_count, value_sum and value_avg')
    return { threshold, value: undefined }
  }
  if (fields.length === 0) issues.add(`${at}.field`, 'is missing')
  return { threshold, value: readReaders(fields, at, issues) }
}

function readGroups(
  names: readonly string[],
  references: readonly string[],
  aliases: unknown,
  place: string,
  issues: RuleIssues,
): readonly (readonly FieldReader[])[] {
  if (names.length === 0)
    issues.add(
      `${place}.group-by`,
      'is missing',
      'without it all clients together would count as one; e.g. [c-ip]',
    )
  if (aliases === undefined) {
    const readers = readGroupReaders(names, `${place}.group-by`, issues)
    return references.map(() => readers)
  }
  const map = isMapping(aliases) ? aliases : {}
  return references.map(reference => {
    const resolved = names.map(name => {
      const alias = map[name]
      const field = isMapping(alias) ? alias[reference] : undefined
      return typeof field === 'string' ? field : name
    })
    return readGroupReaders(resolved, `${place}.aliases`, issues)
  })
}

function readReaders(names: readonly string[], place: string, issues: RuleIssues): readonly FieldReader[] {
  return names
    .map(name => readerOrIssue(name, place, issues, fieldNames()))
    .filter(reader => reader !== undefined)
}

function readGroupReaders(
  names: readonly string[],
  place: string,
  issues: RuleIssues,
): readonly FieldReader[] {
  return names
    .filter(name => readerOrIssue(name, place, issues, fieldNames()) !== undefined)
    .map(groupReader)
    .filter(reader => reader !== undefined)
}
