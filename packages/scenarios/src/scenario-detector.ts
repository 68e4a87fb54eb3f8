import {
  type Detector,
  type Event,
  type Finding,
  type Health,
  type HealthProbe,
  HttpEvent,
  type Measure,
  measureFor,
  showsClearance,
} from '@postern/core'
import { AcceptedCredentials } from './accepted-credentials.ts'
import { CorrelationState, type Fulfilled } from './correlation-state.ts'
import { countedActorOf, countedAddressOf } from './counted-client.ts'
import { actorOf, noteClient, requestIdOf } from './event-fields.ts'
import { FoundTargets } from './found-targets.ts'
import { RuleDispatch } from './rule-dispatch.ts'
import type { CorrelationRule, DetectionRule, Respond } from './scenario.ts'
import type { ScenarioSet } from './scenario-set.ts'

/** The rules, and the bounds of what is counted for them. */
export interface ScenarioDetectorOptions {
  readonly scenarios: ScenarioSet
  /** Most groups (an address, an account, ...) that one scenario keeps. Default: 20,000. */
  readonly capacity?: number
}

/** A detector whose rules can be exchanged while it runs. */
export interface ScenarioDetector extends Detector, HealthProbe {
  /** Takes new rules from the next event on; windows of unchanged correlations go on. */
  replace(scenarios: ScenarioSet): void
  readonly scenarios: ScenarioSet
}

const SILENCE_MS = 300_000

/** How long a detection stays silent per actor; its groups are bounded like any other. */
function silenceRule(rule: DetectionRule): CorrelationRule {
  const actor = rule.respond?.actor ?? 'address'
  return {
    ...rule,
    kind: 'correlation',
    type: 'event_count',
    references: [rule.id],
    groupBy: [
      [
        event =>
          countedActorOf(event, actor) ?? countedAddressOf(event) ?? event.actor.principal ?? event.type,
      ],
    ],
    timespan: 1,
    threshold: 1,
    value: undefined,
    generate: true,
  }
}

/**
 * Watches events for scenarios. Time is the events' own, so that a replay finds what would have been found.
 * Requests that a ban refused are ignored: they would prolong it forever.
 */
export function scenarioDetector(options: ScenarioDetectorOptions): ScenarioDetector {
  const capacity = options.capacity ?? 20_000
  let compiled = compile(options.scenarios, capacity, undefined)
  const credentials = new AcceptedCredentials()
  const found = new FoundTargets()

  return {
    name: 'scenarios',
    get scenarios(): ScenarioSet {
      return compiled.set
    },
    observe: event => {
      if (compiled.detections.length === 0) return undefined
      if (isOwn(event)) return undefined
      const finds = found.of(event)
      noteClient(event, credentials.of(event, finds === 'exhausted'), finds === 'enough')
      return observe(compiled, event)
    },
    replace: scenarios => {
      compiled = compile(scenarios, capacity, compiled)
    },
    health(): Health {
      let groups = 0
      let evictions = 0
      for (const state of compiled.states.values()) {
        groups += state.size
        evictions += state.evictions
      }
      return {
        name: 'scenarios',
        ok: true,
        required: false,
        detail: `${compiled.set.list().length} scenarios, ${groups} groups watched, ${evictions} evicted (capacity)`,
      }
    },
  }
}

interface Compiled {
  readonly set: ScenarioSet
  /** By text of the rule, so that an unchanged rule keeps its windows over a reload. */
  readonly states: ReadonlyMap<string, CorrelationState>
  readonly detections: readonly {
    readonly rule: DetectionRule
    readonly matches: (event: Event) => boolean
    readonly own: CorrelationState | undefined
  }[]
  readonly dispatch: RuleDispatch
  readonly correlations: readonly {
    readonly rule: CorrelationRule
    readonly inputs: readonly number[]
    readonly reports: boolean
    readonly state: CorrelationState
  }[]
  /** For each rule, detections first, the correlations that count it. */
  readonly counters: readonly (readonly number[])[]
  /** Scratch, one place per rule: whether it matched the event at hand. All 0 between events. */
  readonly matched: Uint8Array
  /** Scratch: the correlations to ask about the event at hand, ascending, and whether each is in it. */
  readonly due: number[]
  readonly isDue: Uint8Array
}

function compile(set: ScenarioSet, capacity: number, before: Compiled | undefined): Compiled {
  const states = new Map<string, CorrelationState>()
  const stateOf = (rule: CorrelationRule): CorrelationState => {
    const key = signature(rule)
    const state = before?.states.get(key) ?? new CorrelationState(rule, capacity)
    states.set(key, state)
    return state
  }
  return {
    set,
    states,
    detections: set.detections.map(({ rule, filters, reports }) => ({
      rule,
      matches:
        filters.length === 0
          ? rule.matches
          : event => rule.matches(event) && filters.every(filter => filter.matches(event)),
      own: reports ? stateOf(silenceRule(rule)) : undefined,
    })),
    correlations: set.correlations.map(linked => ({ ...linked, state: stateOf(linked.rule) })),
    // With a filter a rule looks at more than it says.
    dispatch: new RuleDispatch(
      set.detections.map(({ rule, filters }) => (filters.length === 0 ? rule : { ...rule, reads: ['*'] })),
    ),
    counters: countersOf(set),
    matched: new Uint8Array(set.detections.length + set.correlations.length),
    due: [],
    isDue: new Uint8Array(set.correlations.length),
  }
}

function signature(rule: CorrelationRule): string {
  return JSON.stringify([
    rule.id,
    rule.type,
    rule.references,
    rule.timespan,
    rule.threshold,
    rule.respond,
    rule.place,
  ])
}

/** What was found, what was done about it, and requests that a ban refused. */
function isOwn(event: Event): boolean {
  const { type } = event
  if (type !== 'http' && (type === 'finding' || type.startsWith('remediation.'))) return true
  return event.decision !== 'allow' && event.guard?.startsWith('remediation') === true
}

function observe(compiled: Compiled, event: Event): readonly Finding[] | undefined {
  const { matched } = compiled
  const candidates = compiled.dispatch.candidates(event)
  try {
    return ask(compiled, event, candidates)
  } finally {
    for (let i = 0; i < candidates.length; i++) matched[candidates[i] as number] = 0
    if (compiled.due.length > 0) clear(compiled)
  }
}

function ask(compiled: Compiled, event: Event, candidates: readonly number[]): Finding[] | undefined {
  const { detections, matched } = compiled
  const { areKnown } = compiled.dispatch
  let findings: Finding[] | undefined
  for (let i = 0; i < candidates.length; i++) {
    const place = candidates[i] as number
    const { rule, matches, own } = detections[place] as (typeof detections)[number]
    if (!areKnown && !matches(event)) continue
    matched[place] = 1
    makeDue(compiled, place)
    const fulfilled = own?.take(event, 0)
    if (fulfilled !== undefined) findings = add(findings, rule, event, fulfilled)
  }
  return compiled.due.length > 0 ? correlate(compiled, event, findings) : findings
}

/**
 * Asks the correlations that count what matched, in their order: what one of them counts itself stands before
 * it.
 */
function correlate(compiled: Compiled, event: Event, before: Finding[] | undefined): Finding[] | undefined {
  const { detections, correlations, matched, due } = compiled
  let findings = before
  for (let i = 0; i < due.length; i++) {
    const place = due[i] as number
    const { rule, inputs, reports, state } = correlations[place] as (typeof correlations)[number]
    let fulfilled: Fulfilled | undefined
    // Later inputs first: one event must not be both the first and the second step of an order.
    for (let input = inputs.length - 1; input >= 0; input--) {
      if (matched[inputs[input] as number] === 1) fulfilled = state.take(event, input) ?? fulfilled
    }
    if (fulfilled === undefined) continue
    matched[detections.length + place] = 1
    makeDue(compiled, detections.length + place)
    if (reports) findings = add(findings, rule, event, fulfilled)
  }
  return findings
}

function clear({ detections, matched, due, isDue }: Compiled): void {
  for (let i = 0; i < due.length; i++) {
    const place = due[i] as number
    matched[detections.length + place] = 0
    isDue[place] = 0
  }
  due.length = 0
}

/** Adds the correlations that count a rule, keeping the list in order: it has two or three entries. */
function makeDue({ counters, due, isDue }: Compiled, rule: number): void {
  const added = counters[rule] as readonly number[]
  for (let i = 0; i < added.length; i++) {
    const place = added[i] as number
    if (isDue[place] === 1) continue
    isDue[place] = 1
    let at = due.length
    while (at > 0 && (due[at - 1] as number) > place) {
      due[at] = due[at - 1] as number
      at--
    }
    due[at] = place
  }
}

function countersOf(set: ScenarioSet): readonly (readonly number[])[] {
  const counters: number[][] = Array.from(
    { length: set.detections.length + set.correlations.length },
    () => [],
  )
  for (const [place, { inputs }] of set.correlations.entries()) {
    for (const input of new Set(inputs)) counters[input]?.push(place)
  }
  return counters
}

function add(
  findings: Finding[] | undefined,
  rule: DetectionRule | CorrelationRule,
  event: Event,
  fulfilled: Fulfilled,
): Finding[] {
  const respond: Respond = rule.respond ?? {
    action: 'alert',
    duration: 0,
    silence: SILENCE_MS,
    actor: 'address',
  }
  const list = findings ?? []
  const id = requestIdOf(event)
  list.push({
    scenario: rule.id,
    title: rule.title,
    severity: rule.severity,
    actor: actorOf(event, respond.actor) ??
      actorOf(event, 'address') ?? { kind: 'principal', value: event.actor.principal ?? 'unknown' },
    count: fulfilled.count,
    requests: fulfilled.requests.length > 0 || id === undefined ? fulfilled.requests : [id],
    ...(respond.action !== 'alert' && {
      respond: { measure: measureOf(event, respond.action), duration: respond.duration },
    }),
  })
  return list
}

/**
 * A browser is challenged before anything else: a person behind it passes. Who has passed and goes on is
 * slowed down: a tool that claims to be a browser and solves one puzzle would else be free for half an hour.
 */
function measureOf(event: Event, measure: Measure): Measure {
  if (!(event instanceof HttpEvent)) return measure
  if (measure === 'block' && event.exchange.header('sec-fetch-site') !== undefined)
    return showsClearance(event.exchange) ? 'throttle' : 'challenge'
  return measureFor(event.exchange, measure)
}
