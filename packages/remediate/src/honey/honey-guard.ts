import {
  ALLOW,
  type ConfigChange,
  ConfigError,
  type Decision,
  type Duration,
  type Event,
  type Exchange,
  formPairs,
  type Guard,
  type Mode,
  measureFor,
  parseDuration,
  type Refusal,
  type Remediations,
  RouteTable,
  shellWord,
} from '@postern/core'

import { formatActor } from '../actor-text.ts'
import { touchedInBody } from './honey-body.ts'
import { touchedInPairs } from './honey-touch.ts'

/** The routes, fields and records that are traps, and what a client that touches one gets. */
export interface HoneyOptions {
  /** Routes that nothing links to, as the route table writes them: `/backup.zip`, `POST /api/v0/**`. */
  readonly routes?: readonly string[]
  /**
   * Names of query or body fields that no person fills, because the form hides them.
   * Empty is what a browser sends.
   */
  readonly fields?: readonly string[]
  /**
   * Ids of records that nobody should ever open, in a path segment, a query value or
   * a body value. At least 6 characters.
   */
  readonly records?: readonly string[]
  /**
   * Sets the remediation at once, before the event is even logged; the scenario
   * `honey-touched` does so as well.
   */
  readonly remediations?: Remediations
  /** How long the remediation lasts. Default: one day. */
  readonly for?: Duration
  readonly mode?: Mode
}

type Kind = 'route' | 'field' | 'record'

const MESSAGES: Readonly<Record<Kind, string>> = {
  route: 'This page does not exist.',
  field: 'This form could not be accepted.',
  record: 'This record does not exist.',
}

/**
 * Traps: routes, fields and records that no legitimate client requests. A client that touches one is refused
 * and blocked at once. The answer looks like that of a missing page, so that the trap cannot be recognized.
 * Bodies are read only when fields or records are named.
 *
 * Rules: `honey/route`, `honey/field`, `honey/record`.
 * @throws ConfigError for routes that cannot be read, and record ids so short that they would match by chance
 */
export function honeyGuard(options: HoneyOptions): Guard {
  const routes = new RouteTable(Object.fromEntries((options.routes ?? []).map(route => [route, {}])))
  const fields = options.fields ?? []
  const records = new Set(options.records)
  const duration = parseDuration(options.for ?? '1d', 'honey.for')
  for (const record of records) {
    if (record.length < 6)
      throw new ConfigError({
        place: 'honey.records',
        problem: `"${record}" is too short`,
        hint: 'ids of 6 characters or more are not hit by chance',
      })
  }
  const names = { fields: new Set(fields), records }
  const readsBody = fields.length > 0 || records.size > 0

  const refusal = (exchange: Exchange, kind: Kind, location: string, span: string): Refusal => {
    return {
      effect: 'deny',
      guard: 'honey',
      status: kind === 'field' ? 400 : 404,
      reasons: [
        {
          rule: `honey/${kind}`,
          message: MESSAGES[kind],
          evidence: { location, span: span.slice(0, 120) },
          exception: {
            changes: [changeOf(kind, span)],
            command: `postern unban ${shellWord(actorText(exchange))}`,
          },
        },
      ],
    }
  }

  const applied = (exchange: Exchange, said: Decision): Decision => {
    if (said.effect === 'allow' || options.mode === 'observe') return said
    const [{ rule, evidence }] = said.reasons
    const kind = rule.slice('honey/'.length)
    options.remediations?.apply({
      scenario: 'honey-touched',
      title: `Touched the honey ${kind} ${evidence?.span?.slice(0, 80) ?? ''}`,
      severity: 'critical',
      actor:
        exchange.principal.id === ''
          ? { kind: 'address', value: exchange.client }
          : { kind: 'principal', value: exchange.principal.id },
      count: 1,
      requests: [exchange.id],
      respond: { measure: measureFor(exchange, 'block'), duration },
    })
    return said
  }

  const inspectHead = (exchange: Exchange): Refusal | undefined => {
    const { path, method } = exchange
    const route = routes.match(method, path.canonical)
    if (route !== undefined) return refusal(exchange, 'route', 'path', route.pattern)
    if (!readsBody) return undefined
    for (const segment of records.size > 0 ? path.canonical.split('/') : []) {
      if (records.has(segment)) return refusal(exchange, 'record', 'path', segment)
    }
    const touch = path.query === '' ? undefined : touchedInPairs(formPairs(path.query), names, 'query')
    return touch === undefined ? undefined : refusal(exchange, touch.kind, touch.location, touch.span)
  }

  const inspectBody = async (exchange: Exchange): Promise<Decision> => {
    const touch = await touchedInBody(exchange, names)
    return touch === undefined ? ALLOW : refusal(exchange, touch.kind, touch.location, touch.span)
  }

  const wouldRefuse = (exchange: Exchange): Decision | Promise<Decision> =>
    inspectHead(exchange) ?? (readsBody && exchange.hasBody ? inspectBody(exchange) : ALLOW)

  return {
    name: 'honey',
    failure: 'open',
    ...(options.mode && { mode: options.mode }),
    decide(exchange) {
      const said = wouldRefuse(exchange)
      return said instanceof Promise ? said.then(late => applied(exchange, late)) : applied(exchange, said)
    },
    wouldRefuse,
  }
}

/** The change that removes the trap. */
function changeOf(kind: Kind, span: string): ConfigChange {
  return kind === 'route'
    ? { at: ['routes', span, 'honey'], set: false }
    : { at: ['honey', `${kind}s`], remove: [span] }
}

function actorText({ principal, client }: Exchange): string {
  return formatActor(
    principal.id === '' ? { kind: 'address', value: client } : { kind: 'principal', value: principal.id },
  )
}

/**
 * The event of a honey record that was opened where no request shows it: in a database trigger, a vault, an
 * export. Pass it to the engine's `emit`; the scenario `honey-touched` answers it.
 */
export function honeyRecordTouched(touch: {
  readonly time: number
  readonly actor: Event['actor']
  readonly resource: { readonly type: string; readonly id: string }
}): Event {
  return { type: 'honey.record', ...touch }
}
