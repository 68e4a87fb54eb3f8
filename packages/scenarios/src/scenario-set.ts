import { isMapping, RuleIssues } from './rule-issues.ts'
import type { CorrelationRule, DetectionRule, FilterRule, Rule, ScenarioSummary } from './scenario.ts'
import { readCorrelation } from './sigma-correlation.ts'
import { readDetection, readFilter } from './sigma-rule.ts'
import { yamlPackage } from './yaml-package.ts'

/** A file of rules: one or more YAML documents. */
export interface ScenarioText {
  /** Named in errors: a path. */
  readonly place: string
  readonly text: string
}

/** Such a file whose documents were read already, as the build does with those that are shipped. */
export interface ScenarioDocuments {
  readonly place: string
  readonly documents: readonly unknown[]
}

/** A file of rules, as text or as parsed documents, with the place that errors name. */
export type ScenarioSource = ScenarioText | ScenarioDocuments

/** A correlation whose references are places in the order of asking. */
export interface LinkedCorrelation {
  readonly rule: CorrelationRule
  /** Index of each referenced detection or correlation. */
  readonly inputs: readonly number[]
  readonly reports: boolean
}

export interface LinkedDetection {
  readonly rule: DetectionRule
  readonly filters: readonly FilterRule[]
  readonly reports: boolean
}

const MAX_FILE = 1_048_576
const MAX_RULES = 5_000

/**
 * Rules that fit together: every reference resolved, no circles, ids unique. Immutable. Inputs of
 * correlations come before them, so one walk in order answers all for an event.
 */
export class ScenarioSet {
  readonly detections: readonly LinkedDetection[]
  readonly correlations: readonly LinkedCorrelation[]

  private constructor(detections: readonly LinkedDetection[], correlations: readonly LinkedCorrelation[]) {
    this.detections = detections
    this.correlations = correlations
  }

  /** @throws ConfigError with every issue of every file, each with its place */
  static parse(sources: readonly ScenarioSource[]): ScenarioSet {
    const issues = new RuleIssues()
    const rules = sources.flatMap(source => readSource(source, issues))
    if (rules.length > MAX_RULES) issues.add('scenarios', `are ${rules.length}, more than ${MAX_RULES}`)
    const linked = link(rules, issues)
    issues.throwIfAny()
    return new ScenarioSet(linked.detections, linked.correlations)
  }

  /** The rules that report: those that only feed a correlation are left out. */
  list(): readonly ScenarioSummary[] {
    return [...this.detections, ...this.correlations]
      .filter(linked => linked.reports)
      .map(({ rule }) => ({
        id: rule.id,
        title: rule.title,
        severity: rule.severity,
        action: rule.respond?.action ?? 'alert',
        place: rule.place,
      }))
  }
}

function readSource(source: ScenarioSource, issues: RuleIssues): Rule[] {
  const documents = 'documents' in source ? source.documents : readDocuments(source, issues)
  const rules: Rule[] = []
  for (const [index, value] of documents.entries()) {
    if (value === null || value === undefined) continue
    const rule = readDocument(value, documentPlace(source, index), issues)
    if (rule !== undefined) rules.push(rule)
  }
  return rules
}

function documentPlace({ place }: ScenarioSource, index: number): string {
  return index === 0 ? place : `${place} (document ${index + 1})`
}

/** The documents of a file of rules; undefined for one that is empty or not YAML. */
function readDocuments(source: ScenarioText, issues: RuleIssues): readonly unknown[] {
  if (source.text.length > MAX_FILE) {
    issues.add(source.place, 'is larger than 1 MiB')
    return []
  }
  return [...yamlPackage().parseAllDocuments(source.text)].map((document, index) => {
    const place = documentPlace(source, index)
    if (document.errors.length > 0) {
      for (const error of document.errors) issues.add(place, error.message.split('\n', 1)[0] ?? 'is not YAML')
      return undefined
    }
    try {
      // Without aliases: a small file could otherwise stand for a huge tree.
      return document.toJS({ maxAliasCount: 0 }) as unknown
    } catch {
      issues.add(place, 'uses YAML aliases', 'write the values out')
      return undefined
    }
  })
}

/**
 * Reads files of rules ahead of their use: the build does so for those that are shipped.
 * @throws ConfigError for a file that is not YAML
 */
export function documentsOf(sources: readonly ScenarioText[]): readonly ScenarioDocuments[] {
  const issues = new RuleIssues()
  const read = sources.map(source => ({ place: source.place, documents: readDocuments(source, issues) }))
  issues.throwIfAny()
  return read
}

/** What the kinds of CrowdSec's scenarios are called; no Sigma rule has a type. */
const CROWDSEC_TYPES: ReadonlySet<unknown> = new Set([
  'leaky',
  'trigger',
  'counter',
  'conditional',
  'bayesian',
])

function readDocument(value: unknown, place: string, issues: RuleIssues): Rule | undefined {
  if (isMapping(value)) {
    if (CROWDSEC_TYPES.has(value['type'])) {
      issues.add(
        place,
        'is a scenario of CrowdSec, and Postern reads Sigma rules',
        'write it as in docs/scenarios.md, or let CrowdSec run it and set crowdsec.feed',
      )
      return undefined
    }
    if ('correlation' in value) return readCorrelation(value, place, issues)
    if ('detection' in value) return readDetection(value, place, issues)
    if ('filter' in value) return readFilter(value, place, issues)
    if (value['action'] !== undefined) {
      issues.add(`${place}.action`, 'global and repeat documents are not understood', 'write each rule out')
      return undefined
    }
  }
  issues.add(place, 'is not a Sigma rule', 'it needs "detection", "correlation" or "filter"')
  return undefined
}

function link(
  rules: readonly Rule[],
  issues: RuleIssues,
): { detections: readonly LinkedDetection[]; correlations: readonly LinkedCorrelation[] } {
  const detections = rules.filter(rule => rule.kind === 'detection')
  const correlations = rules.filter(rule => rule.kind === 'correlation')
  const filters = rules.filter(rule => rule.kind === 'filter')
  const byName = rulesByName([...detections, ...correlations], issues)
  const used = onlyCounted(correlations, byName, issues)
  for (const filter of filters) {
    for (const reference of filter.references) {
      if (byName.get(reference)?.kind !== 'detection')
        issues.add(`${filter.place}.filter.rules`, `no detection is named "${reference}"`)
    }
  }
  const ordered = inOrder(correlations, byName, issues)
  const indexOf = new Map<NamedRule, number>([...detections, ...ordered].map((rule, index) => [rule, index]))
  return {
    detections: detections.map(rule => ({
      rule,
      filters: filters.filter(filter => filter.references.some(name => rule.names.includes(name))),
      reports: !used.has(rule),
    })),
    correlations: ordered.map(rule => ({
      rule,
      inputs: rule.references.map(name => indexOf.get(byName.get(name) ?? rule) ?? 0),
      reports: !used.has(rule),
    })),
  }
}

type NamedRule = DetectionRule | CorrelationRule

function rulesByName(rules: readonly NamedRule[], issues: RuleIssues): ReadonlyMap<string, NamedRule> {
  const byName = new Map<string, NamedRule>()
  for (const rule of rules) {
    for (const name of rule.names) {
      const other = byName.get(name)
      if (other !== undefined)
        issues.add(rule.place, `"${name}" is also the id of the rule in ${other.place}`)
      byName.set(name, rule)
    }
  }
  return byName
}

/** Rules that a correlation counts and does not want reported by themselves. */
function onlyCounted(
  correlations: readonly CorrelationRule[],
  byName: ReadonlyMap<string, NamedRule>,
  issues: RuleIssues,
): ReadonlySet<NamedRule> {
  const counted = new Set<NamedRule>()
  for (const rule of correlations) {
    for (const reference of rule.references) {
      const target = byName.get(reference)
      if (target === undefined)
        issues.add(`${rule.place}.correlation.rules`, `no rule is named "${reference}"`)
      else if (!rule.generate) counted.add(target)
    }
  }
  return counted
}

/** Inputs before those who need them. */
function inOrder(
  rules: readonly CorrelationRule[],
  byName: ReadonlyMap<string, NamedRule>,
  issues: RuleIssues,
): readonly CorrelationRule[] {
  const ordered: CorrelationRule[] = []
  const state = new Map<CorrelationRule, 'open' | 'done'>()
  const visit = (rule: CorrelationRule): void => {
    if (state.get(rule) === 'done') return
    if (state.get(rule) === 'open') {
      issues.add(`${rule.place}.correlation.rules`, 'refers to itself in a circle')
      return
    }
    state.set(rule, 'open')
    for (const name of rule.references) {
      const target = byName.get(name)
      if (target?.kind === 'correlation') visit(target)
    }
    state.set(rule, 'done')
    ordered.push(rule)
  }
  for (const rule of rules) visit(rule)
  return ordered
}
