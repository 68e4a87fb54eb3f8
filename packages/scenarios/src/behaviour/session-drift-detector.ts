import type { Detector, Event, Finding } from '@postern/core'
import { fieldReader } from '../event-fields.ts'
import { RecentMap } from '../recent-map.ts'
import { type BehaviourOptions, findingOf, respondOf } from './behaviour-options.ts'

/** How the session of an event is found, and what every detector of behaviour takes. */
export interface SessionDriftOptions extends BehaviourOptions {
  /** The session of an event; `data.session` unless given. Must not be the secret itself: a hash or an id. */
  readonly session?: (event: Event) => string | undefined
}

interface Session {
  network: string
  agent: string
  count: number
  /** Pairs that were already told, so that two thieves make two findings and one makes one. */
  readonly told: Set<string>
}

/** So many events make a pair of network and agent the session's own. */
const SETTLED = 3
const MAX_TOLD = 20

/**
 * A session that goes on from another network and another agent at once. A phone changes networks, a
 * browser is updated; both in one moment is a copied session. Alerts only, unless `respond` says
 * more: a step-up is a matter of identity.
 */
export function sessionDriftDetector(options: SessionDriftOptions = {}): Detector {
  const respond = respondOf(options, 'alert')
  const readSession = options.session ?? (event => textOf(event.data?.['session']))
  const readNetwork = fieldReader('actor.network')
  const readAgent = fieldReader('actor.agent')
  const sessions = new RecentMap<Session>(options.capacity ?? 20_000)

  return {
    name: 'session-drift',
    observe(event): readonly Finding[] | undefined {
      const id = readSession(event)
      if (id === undefined) return undefined
      const network = textOf(readNetwork?.(event))
      const agent = textOf(readAgent?.(event))
      if (network === undefined || agent === undefined) return undefined
      const session = sessions.touch(id, () => ({ network, agent, count: 0, told: new Set() }))
      if (session.network === network && session.agent === agent) {
        session.count++
        return undefined
      }
      if (session.network === network || session.agent === agent) {
        // One of the two: the session's owner moved, or updated. That is the session's own pair from now on.
        session.network = network
        session.agent = agent
        return undefined
      }
      const pair = `${network} ${agent}`
      if (session.count < SETTLED || session.told.has(pair) || session.told.size >= MAX_TOLD) return undefined
      session.told.add(pair)
      const { principal, address } = event.actor
      const actor =
        principal === undefined
          ? ({ kind: 'address', value: address ?? network } as const)
          : ({ kind: 'principal', value: principal } as const)
      const title = 'A session goes on from another network and another agent at once'
      return [
        findingOf(event, actor, { scenario: 'session-drift', title, severity: 'high', count: 1 }, respond),
      ]
    },
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
