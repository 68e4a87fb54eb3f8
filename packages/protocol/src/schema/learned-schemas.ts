import { type Duration, parseDuration } from '@postern/core'
import { migrate, type SqliteDatabase } from '@postern/store'
import { addRoute, type LearnedRoute, newRoute, readRoute, writeRoute } from './learned-route.ts'
import { LEARNED, LEARNED_MIGRATIONS } from './learned-schemas.sql.ts'
import { learnedTypes } from './learned-types.ts'
import type { LearnedType } from './parameter-evidence.ts'
import { proposeSchemas } from './propose-schemas.ts'
import type { RouteSchemas } from './route-schema.ts'
import { MOST_LEARNED, type SchemaLearner } from './schema-learner.ts'

/** The database that schemas are kept in, and how often they are written. */
export interface LearnedSchemasOptions {
  /**
   * Opened on the first read or write, because most processes learn nothing. The caller closes it.
   */
  readonly database: () => SqliteDatabase
  /** What learns in this thread; nothing in a process that only reads. */
  readonly learner?: SchemaLearner
  /** How often what was learned is written. Default: 5 seconds. */
  readonly every?: Duration
  /**
   * Called when it cannot be written. It stays in memory then, within the learner's
   * bounds, and the write is retried.
   */
  readonly onError?: (error: unknown) => void
  readonly maxRoutes?: number
  readonly maxParameters?: number
}

/** After so many failed intervals the operator is notified, once until writing works again. */
const TELLING_FAILURES = 3

/**
 * What was learned of the parameters of routes, by every thread and process on one SQLite
 * file, and before the last restart. Each adds what it learned since its last write; a
 * thread that dies loses at most one interval.
 */
export class LearnedSchemas {
  readonly #options: LearnedSchemasOptions
  readonly #maxRoutes: number
  readonly #maxParameters: number
  readonly #timer: NodeJS.Timeout | undefined
  #opened: SqliteDatabase | undefined
  /** In a row. */
  #failures = 0

  constructor(options: LearnedSchemasOptions) {
    this.#options = options
    this.#maxRoutes = options.maxRoutes ?? MOST_LEARNED.routes
    this.#maxParameters = options.maxParameters ?? MOST_LEARNED.parameters
    if (options.learner === undefined) return
    const every = parseDuration(options.every ?? '5s', 'every')
    this.#timer = setInterval(() => this.#tick(), every).unref()
  }

  /** Another process that is writing is normal; one that never stops is a failure, and so is a full disk. */
  #tick(): void {
    try {
      this.#save('now or never')
      this.#failures = 0
    } catch (error) {
      if (++this.#failures === TELLING_FAILURES) this.#options.onError?.(error)
    }
  }

  /**
   * Adds what this thread learned to the file. @throws StoreError when it cannot be
   * written; nothing is lost then
   */
  save(): void {
    this.#save('wait')
  }

  /**
   * @param patience whether to wait while another process writes: requests must not,
   *   so the timer tries again instead
   */
  #save(patience: 'wait' | 'now or never'): void {
    const { learner } = this.#options
    if (learner === undefined || learner.learned.size === 0) return
    const database = this.#database()
    const work = (): void => this.#add(database, learner.learned)
    if (patience === 'wait') database.transaction(work)
    else database.tryTransaction(work)
    learner.clear()
  }

  #add({ db }: SqliteDatabase, learned: ReadonlyMap<string, LearnedRoute>): void {
    const get = db.prepare(LEARNED.get)
    const put = db.prepare(LEARNED.put)
    let known = Number(db.prepare(LEARNED.count).get()?.['routes'] ?? 0)
    for (const [route, fresh] of learned) {
      const row = get.get(route)
      if (row === undefined && ++known > this.#maxRoutes) continue
      // An unreadable row is damaged: what is learned now replaces it.
      const sum = (row === undefined ? undefined : readRoute(String(row['learned']))) ?? newRoute()
      addRoute(sum, fresh, this.#maxParameters)
      put.run(route, writeRoute(sum))
    }
  }

  /** Everything learned so far, by route. @throws StoreError when it cannot be read */
  all(): ReadonlyMap<string, LearnedRoute> {
    this.#attempt(() => this.save())
    const database = this.#database()
    const rows = database.read(() => database.db.prepare(LEARNED.all).all(this.#maxRoutes))
    const routes = new Map<string, LearnedRoute>()
    for (const row of rows) {
      const learned = readRoute(String(row['learned']))
      if (learned !== undefined) routes.set(String(row['route']), learned)
    }
    for (const [route, learned] of this.#options.learner?.learned ?? []) {
      // The file cannot be written at the moment.
      const sum = routes.get(route) ?? newRoute()
      addRoute(sum, learned, this.#maxParameters)
      routes.set(route, sum)
    }
    return routes
  }

  /**
   * The schemas that could be enforced.
   * @param minSamples requests that a route needs. Default: 100
   * @throws StoreError when the file cannot be read
   */
  propose(minSamples = 100): RouteSchemas {
    return proposeSchemas(this.all(), minSamples)
  }

  /**
   * The types that were learned, by route and place of the parameter: `{ 'GET /items': { 'query.id':
   * 'number' } }`. Only those that are certain.
   * @throws StoreError when the file cannot be read
   */
  types(): ReadonlyMap<string, Readonly<Record<string, LearnedType>>> {
    return new Map([...this.all()].map(([route, learned]) => [route, learnedTypes(learned)]))
  }

  /**
   * Forgets what was learned, e.g. after the application changed.
   * @param route `POST /orders`. Default: all routes
   * @returns how many routes were forgotten
   * @throws StoreError when the file cannot be written
   */
  forget(route?: string): number {
    const database = this.#database()
    this.#options.learner?.clear()
    return database.transaction(() => {
      const { changes } =
        route === undefined
          ? database.db.prepare(LEARNED.clear).run()
          : database.db.prepare(LEARNED.remove).run(route)
      return Number(changes)
    })
  }

  /** Writes what is not written yet, and ends. Does not throw: a failed write is reported. */
  close(): void {
    clearInterval(this.#timer)
    this.#attempt(() => this.save())
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.onError?.(error)
    }
  }

  #database(): SqliteDatabase {
    if (this.#opened !== undefined) return this.#opened
    const database = this.#options.database()
    migrate(database, 'schema', LEARNED_MIGRATIONS)
    this.#opened = database
    return database
  }
}
