import { readFileSync, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ApprovalGrant, ApprovalsOptions, Decides } from '@postern/access'
import {
  Access,
  Approvals,
  cedarPolicies,
  ReadBudgets,
  RouteBudgets,
  signBudgetGrant,
  webhookChannel,
} from '@postern/access/start'
import type { CompiledApprovals, CompiledConfig, LoadedConfig } from '@postern/config'
import {
  type Clock,
  ConfigError,
  type EventRecorder,
  type HealthProbe,
  type StepUp,
  systemClock,
} from '@postern/core'
import { usedProofs } from '@postern/identity/stores'
import { RepeatedWork } from '../lifetime/repeated-work.ts'
import type { Connections } from '../stores/connections.ts'
import { budgetCounts } from './budget-counts.ts'

/** Policies and approvals of a process: what stands behind the guard for routes. */
export interface OpenAccess {
  readonly access: Access
  /** The policies in force; absent where the configuration names none. */
  readonly policies: Decides | undefined
  /** Absent where nothing is kept. */
  readonly approvals: Approvals | undefined
  /** Counts of the budgets that routes name; absent where the configuration has no `budgets`. */
  readonly budgets: RouteBudgets | undefined
  /** Counts of what connections of the application read; absent where no budget has the action `select`. */
  readonly reads: ReadBudgets | undefined
  readonly probes: readonly HealthProbe[]
  close(): Promise<void>
}

export interface OpenAccessOptions {
  readonly loaded: LoadedConfig
  /** Absent in a replay, which keeps nothing. */
  readonly connections: Connections | undefined
  readonly recorder?: EventRecorder | undefined
  /** Takes fresh proofs: of built-in identity, where there is one. */
  readonly stepUp?: StepUp | undefined
  /** Where the accounts of those who consented are, with built-in identity. */
  readonly approvers?: ApproverAccounts | undefined
  /** The account of which somebody's name is the address, where built-in identity has it. */
  readonly accountNamed?: ((name: string) => Promise<{ readonly id: string } | undefined>) | undefined
  /** Every name that somebody has or had, where built-in identity has their account. */
  readonly namesOf?: ApprovalsOptions['namesOf'] | undefined
  readonly clock?: Clock
  /** `send`: this thread sends notices and forgets what is over; one does, for all workers. */
  readonly notices: 'send' | 'leave'
}

const EVERY = 5_000

/**
 * Opens what the keys `policies`, `approvals` and `routes.*.require`, `approve` and `policy` need.
 * @throws ConfigError for policies that cannot be read; StoreError when approvals cannot be kept
 */
export async function openAccess(options: OpenAccessOptions): Promise<OpenAccess> {
  const { loaded, connections, recorder, stepUp, clock = systemClock } = options
  const { config } = loaded
  const policies = await openPolicies(loaded)
  await refuseAddresses(config.approvals, options.accountNamed)
  const approvals =
    connections === undefined || !(canKeep(connections) || asksForConsent(config))
      ? undefined
      : approvalsOf(config.approvals, connections, {
          recorder,
          clock,
          standing: standingBy(options.approvers),
          namesOf: options.namesOf,
        })
  const [grantKey] = config.budgetDatabase?.grantKeys ?? []
  const access = new Access({
    clock,
    ...(policies !== undefined && { policies }),
    ...(approvals !== undefined && { approvals }),
    ...(stepUp !== undefined && { stepUp }),
    ...(recorder !== undefined && { recorder }),
    ...(grantKey !== undefined && { signGrant: (grant: ApprovalGrant) => signBudgetGrant(grant, grantKey) }),
    follow: id => `${config.approvals.path}/${id}`,
  })
  const work =
    approvals === undefined || options.notices === 'leave' || !asksForConsent(config)
      ? undefined
      : new RepeatedWork({
          name: 'approvals',
          every: EVERY,
          work: async () => {
            await approvals.deliver()
            await approvals.sweep()
          },
        })
  return {
    access,
    policies,
    approvals,
    budgets: routeBudgetsOf(config, connections, clock),
    reads: readsOf(config, clock),
    probes: work === undefined ? [] : [work],
    close: async () => work?.close(),
  }
}

function routeBudgetsOf(
  config: CompiledConfig,
  connections: Connections | undefined,
  clock: Clock,
): RouteBudgets | undefined {
  const { budgets } = config
  if (budgets === undefined) return undefined
  const counts = connections === undefined ? undefined : budgetCounts(config, connections, clock)
  return new RouteBudgets({ budgets, counts, clock })
}

function readsOf({ budgets = {} }: CompiledConfig, clock: Clock): ReadBudgets | undefined {
  const isCounted = Object.entries(budgets).some(([name, { actions }]) =>
    (actions ?? [name.slice(name.lastIndexOf('.') + 1)]).includes('select'),
  )
  return isCounted ? new ReadBudgets({ budgets, clock }) : undefined
}

/**
 * The policies that a configuration names; undefined when it names none.
 * @throws ConfigError when they cannot be read
 */
export async function openPolicies({ config, file }: LoadedConfig): Promise<Decides | undefined> {
  const { policies } = config
  if (typeof policies !== 'string') return policies
  return await readPolicies(resolve(file.folder, policies), file.place(['policies']))
}

/**
 * Policies in a file: a module that exports them as `policies` (or as its default), or a `.cedar` file.
 * @throws ConfigError when they cannot be read
 */
export async function readPolicies(path: string, place: string): Promise<Decides> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isFile())
    throw new ConfigError({
      place,
      problem: `${path} ${stat === undefined ? 'does not exist' : 'is not a file'}`,
      hint: 'name a module that exports policies, or a .cedar file',
    })
  if (extname(path) === '.cedar') return await cedarPolicies({ policies: readFileSync(path, 'utf8') })
  let module: { readonly policies?: unknown; readonly default?: unknown }
  try {
    module = (await import(`${pathToFileURL(path).href}?at=${stat.mtimeMs}`)) as typeof module
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const problem =
      error instanceof Error ? `${error.name}: ${error.message.split('\n', 1)[0]}` : 'cannot be imported'
    throw new ConfigError({ place, problem }, { cause: error })
  }
  const value = module.policies ?? module.default
  if (!isDecides(value))
    throw new ConfigError({
      place,
      problem: 'the module exports no policies',
      hint: 'write: export const policies = definePolicies([...])',
    })
  return value
}

function isDecides(value: unknown): value is Decides {
  return (
    typeof value === 'object' && value !== null && 'decide' in value && typeof value.decide === 'function'
  )
}

function canKeep({ isMemoryOnly, postgres }: Connections): boolean {
  return !isMemoryOnly || postgres !== undefined
}

export function asksForConsent({ routes }: CompiledConfig): boolean {
  return [...routes.guarded.values()].some(({ approve }) => approve !== undefined)
}

/** What approvals know of the process that they are in. */
type ApprovalsSurroundings = {
  readonly [Name in 'recorder' | 'clock' | 'standing' | 'namesOf']?: ApprovalsOptions[Name] | undefined
}

/**
 * Approvals over the stores of a configuration, in PostgreSQL where it names one: what a runtime and the
 * command line share.
 */
export function approvalsOf(
  { maxPending, keep, key, makers, webhook, origin, path }: CompiledApprovals,
  connections: Connections,
  { recorder, clock = systemClock, standing, namesOf }: ApprovalsSurroundings,
): Approvals {
  return new Approvals({
    database: connections.postgres ?? connections.sqlite,
    clock,
    maxPending,
    keep,
    ...(recorder !== undefined && { recorder }),
    ...(key !== undefined && { key }),
    ...(makers !== undefined && { makers }),
    ...usedIn(connections, clock),
    ...(standing !== undefined && { standing }),
    ...(namesOf !== undefined && { namesOf }),
    ...(webhook !== undefined && {
      notify: [webhookChannel({ ...webhook, link: id => `${origin.replace(/\/$/, '')}${path}/${id}` })],
    }),
  })
}

/**
 * An address is not what its account is called in requests, and its holder can change it.
 * @throws ConfigError where a maker is named by the address of an account
 */
async function refuseAddresses(
  { makers = {} }: CompiledApprovals,
  accountNamed: OpenAccessOptions['accountNamed'],
): Promise<void> {
  if (accountNamed === undefined) return
  const names = new Set(
    Object.values(makers)
      .flat()
      .filter(name => name.includes('@')),
  )
  for (const name of names) {
    const account = await accountNamed(name.slice('user:'.length))
    if (account !== undefined && name !== `user:${account.id}`)
      throw new ConfigError({
        place: 'approvals.makers',
        problem: `"${name}" is the address of an account, which can be changed`,
        hint: `write its id: "user:${account.id}"`,
      })
  }
}

/** What of accounts says whether their holders may still consent. */
export interface ApproverAccounts {
  byId(
    id: string,
  ): Promise<{ readonly roles: readonly string[]; readonly disabledAt: number | undefined } | undefined>
  /** When an account last had other rights, was disabled or deleted; epoch milliseconds. */
  rightsChangedAt(id: string): Promise<number | undefined>
}

/**
 * Somebody whose account was disabled or deleted since, or got other roles or another password, has not
 * consented any more, also once it is as it was: a thief may have had it meanwhile. Of people without an
 * account (operators, users of other providers) nothing is known.
 */
function standingBy(
  accounts: ApproverAccounts | undefined,
): NonNullable<ApprovalsOptions['standing']> | undefined {
  if (accounts === undefined) return undefined
  return async ({ by, decidedBy = '', decidedAt = 0 }) => {
    if (!decidedBy.startsWith('user:')) return true
    const id = decidedBy.slice(5)
    const account = await accounts.byId(id)
    const changedAt = await accounts.rightsChangedAt(id)
    if (changedAt !== undefined && changedAt >= decidedAt) return false
    if (account === undefined) return true
    const isOfSite = by.every(rule => rule.startsWith('role:') && !rule.startsWith('role:tenant:'))
    return (
      account.disabledAt === undefined &&
      (!isOfSite || by.some(rule => account.roles.includes(rule.slice('role:'.length))))
    )
  }
}

/**
 * Which consents were used, outside of the database of approvals, and for all processes: in Redis, or in the
 * data directory where the approvals are in PostgreSQL. Elsewhere each process remembers for itself.
 */
function usedIn(connections: Connections, clock: Clock): Pick<ApprovalsOptions, 'used'> {
  const { redis, postgres, isMemoryOnly } = connections
  if (redis === undefined && (postgres === undefined || isMemoryOnly)) return {}
  const used = usedProofs(() =>
    redis === undefined ? { sqlite: connections.sqlite, clock } : { redis, clock },
  )
  return { used: { isFirst: (id, until, now) => used.isFirst('approval', id, until, now) } }
}
