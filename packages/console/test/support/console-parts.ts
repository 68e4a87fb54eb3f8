import { VirtualClock } from '@postern/core'
import { RemediationStore } from '@postern/remediate'
import type { ConsoleAct, ConsoleParts } from '../../src/api/console-parts.ts'
import { LiveFeed } from '../../src/api/live-feed.ts'
import type { TrafficStore } from '../../src/traffic/traffic-store.ts'

/** A store that holds nothing. */
export const NO_TRAFFIC: TrafficStore = {
  write: async () => undefined,
  find: async () => [],
  ofRequest: async () => [],
  pages: async function* () {},
  pack: async () => false,
  requestsFrom: async () => 0,
  counts: async () => [],
  places: async () => [],
  mark: async () => undefined,
  unmark: async () => false,
  marks: async () => [],
  refusedActors: async () => [],
  prune: async () => undefined,
  erase: async () => undefined,
  size: async () => ({ events: 0, bytes: 0, oldest: undefined }),
  close: async () => undefined,
}

/** Parts of a console that shows nothing, with what operators did. */
export interface TestParts {
  readonly parts: ConsoleParts
  readonly clock: VirtualClock
  /** Errors that nobody foresaw, as they were reported. */
  readonly failures: string[]
  readonly acts: (ConsoleAct & { readonly operator: string })[]
  /** Whether the audit log can be written. */
  readonly log: { isBroken: boolean }
  close(): Promise<void>
}

/** @param given what the test is about */
export async function testParts(given: Partial<ConsoleParts> = {}): Promise<TestParts> {
  const clock = new VirtualClock(1_800_000_000_000)
  const remediations = await RemediationStore.open({ clock })
  const failures: string[] = []
  const acts: TestParts['acts'] = []
  const log = { isBroken: false }
  let next = 0
  const parts: ConsoleParts = {
    clock,
    failed: (part, error) => failures.push(`${part}: ${error instanceof Error ? error.message : ''}`),
    random: {
      bytes: length => new Uint8Array(length).fill(++next % 256).map((value, i) => value ^ ((next >> 8) + i)),
    },
    traffic: NO_TRAFFIC,
    flush: async () => undefined,
    live: new LiveFeed(),
    remediations,
    approvals: undefined,
    identity: undefined,
    operators: undefined,
    instances: async () => [],
    sharesBans: false,
    revocations: undefined,
    policies: undefined,
    guardedRoutes: () => [],
    approvingRoles: () => new Set(['owner']),
    vault: () => undefined,
    system: () => ({
      instance: 'here:1',
      versions: {},
      uptime: 1,
      memory: { resident: 1, heapUsed: 1, heapTotal: 1 },
      eventLoopDelay: { mean: 0, p99: 0, max: 0 },
      workers: 1,
      stores: [],
      lost: {},
    }),
    diagnose: async () => [],
    undo: undefined,
    testAlerts: async () => ['Slack answered 403'],
    audit: undefined,
    settings: {
      describe: () => [],
      edited: () => undefined,
      file: () => ({ path: '', text: '' }),
      write: async () => [],
      history: () => [],
      preview: { start: () => undefined, state: () => ({ state: 'none' }), cancel: () => undefined },
    },
    bouncers: async () => [],
    limits: async () => [],
    attack: async () => ({ sent: 0, statuses: [], requests: [] }),
    record: async (act, operator) => {
      if (log.isBroken) throw new Error('disk full')
      acts.push({ ...act, operator })
    },
    health: () => [],
    about: () => ({ gateway: '', upstream: '', mode: 'enforce', configuration: undefined }),
    ...given,
  }
  return { parts, clock, failures, acts, log, close: () => remediations.close() }
}
