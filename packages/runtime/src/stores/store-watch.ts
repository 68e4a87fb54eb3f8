import { statSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CompiledConfig } from '@postern/config'
import { type Event, errorCode, type HealthProbe, StoreError, systemClock, writeProblem } from '@postern/core'
import { redisError, redisName } from '@postern/store'
import { RepeatedWork } from '../lifetime/repeated-work.ts'
import type { Connections } from './connections.ts'

/** Milliseconds between two looks, and how long an answer may take. */
const EVERY = 1_000
const PATIENCE = 900
/** Its name is part of the layout, and it is there in each data directory. */
const FORMAT_FILE = 'postern-data.json'
/** What a running process keeps open in its data directory, beside the directory itself. */
const KEPT = ['', FORMAT_FILE, 'postern.db', 'audit']

/** Asks the stores of a process whether they are there, for readiness. */
export interface StoreWatch {
  readonly probes: readonly HealthProbe[]
  close(): Promise<void>
}

/**
 * One probe per store, because parts that use a store now and then (row budgets, states of sign-in, consents)
 * cannot say that it is away: the data directory, which may be deleted or replaced while its files are open,
 * Redis and PostgreSQL.
 * @param emit takes `store.failed`, once per trouble, and `store.back` when it is over
 */
export function watchStores(
  { stores, identity }: CompiledConfig,
  connections: Connections,
  emit: (event: Event) => void,
): StoreWatch {
  const { redis, postgres, isMemoryOnly } = connections
  // Limits and budgets that must not be passed make the process useless without their store.
  const required = stores.failure === 'closed'
  const watched: RepeatedWork[] = []
  const watch = (name: string, every: number, isRequired: boolean, work: () => Promise<unknown>): void => {
    watched.push(
      new RepeatedWork({
        ...{ name, every, required: isRequired },
        work: async () => void (await work()),
        onTrouble: problem =>
          emit({
            type: 'store.failed',
            time: systemClock.now(),
            actor: {},
            data: { store: name, problem: problem.slice(0, 500) },
          }),
        onRecovery: lasted =>
          emit({
            type: 'store.back',
            time: systemClock.now(),
            actor: {},
            data: { store: name, seconds: Math.round(lasted / 1_000) },
          }),
      }),
    )
  }
  if (!isMemoryOnly) watch('data directory', EVERY, true, directoryCheck(connections.directory.path))
  if (redis !== undefined)
    watch('redis', EVERY, required, () =>
      within(
        redis.ping().catch((error: unknown) => {
          throw redisError(error, redis)
        }),
        redisName(redis),
      ),
    )
  if (postgres !== undefined) {
    // Without accounts nobody is known: what readiness says at a start without PostgreSQL holds later, too.
    const holdsAccounts = identity !== undefined
    watch('postgres', EVERY, required || holdsAccounts, () => postgres.query('SELECT 1', [], PATIENCE))
  }
  return {
    probes: watched,
    close: async () => {
      await Promise.all(watched.map(one => one.close()))
    },
  }
}

/**
 * Whether files that were seen once are still the same ones. A process that writes into deleted files keeps
 * nothing, and commands find another directory than it has.
 */
function directoryCheck(path: string): () => Promise<void> {
  const store = `data directory ${path}`
  const seen = new Map<string, string>()
  for (const name of KEPT) {
    const stats = statSync(join(path, name), { bigint: true, throwIfNoEntry: false })
    if (stats !== undefined) seen.set(name, `${stats.dev}:${stats.ino}`)
  }
  return async () => {
    await openedOnce(join(path, FORMAT_FILE), store)
    for (const name of KEPT) {
      const found = await fileId(join(path, name))
      const before = seen.get(name)
      if (before === undefined && found !== undefined) seen.set(name, found)
      // The format file is replaced when a later version upgrades the layout.
      if (before === undefined || found === before || (found !== undefined && name === FORMAT_FILE)) continue
      const what = name === '' ? 'it' : `"${name}"`
      throw new StoreError(
        `${what} was ${found === undefined ? 'deleted' : 'replaced'} while in use, and nothing more is kept; restart Postern`,
        { store, retryable: false },
      )
    }
  }
}

/**
 * Opens a file as every part must: nobody else says that the process has no files left, because the kernel
 * then takes connections and drops them without a word.
 */
async function openedOnce(path: string, store: string): Promise<void> {
  try {
    const file = await open(path, 'r')
    await file.close()
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return
    throw new StoreError(writeProblem(error), { store, retryable: true, cause: error })
  }
}

async function fileId(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true })
    return `${dev}:${ino}`
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new StoreError(writeProblem(error), {
      store: `data directory ${path}`,
      retryable: true,
      cause: error,
    })
  }
}

/** A server that hangs reports no error. */
async function within(work: Promise<unknown>, store: string): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new StoreError('does not answer', { store, retryable: true })),
    PATIENCE,
  )
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined)
  }
}
