// Durable acknowledged events: the audit log against a raw append with the same framing and group size,
// and beside it what people use instead.
import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { openAuditLog } from '@postern/audit'
import type { Event } from '@postern/core'
import { connectPostgres, openSqlite } from '@postern/store'
import pino from 'pino'
import { startServices } from '../test/services.ts'
import { isQuick, median, quantile, report } from './support/harness.ts'

const root = mkdtempSync(join(tmpdir(), 'postern-bench-audit-'))
const ROUNDS = isQuick ? 2 : 7
/** With `--quick` this share of the events. */
const SHARE = isQuick ? 0.25 : 1

function event(i: number): Event {
  return {
    type: 'http',
    time: 1_767_225_600_000 + i,
    actor: {
      address: `203.0.113.${i % 250}`,
      principal: `user-${i % 5_000}`,
      tenant: `tenant-${i % 40}`,
      agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
    },
    request: {
      id: `01jabcdefghjk${String(i % 10_000_000).padStart(7, '0')}`,
      method: 'DELETE',
      host: 'shop.example.com',
      path: `/api/orders/${i}`,
      query: '',
      route: 'DELETE /api/orders/:id',
    },
    decision: 'allow',
    outcome: { status: 204, duration: 12.25, bytes: 0, aborted: false },
  }
}

interface Appender {
  append(event: Event): Promise<unknown>
}

/**
 * The floor: the same JSON in the same frames, one write and one fdatasync for all
 * that came meanwhile, and nothing else.
 */
class RawAppend implements Appender {
  readonly #file: Awaited<ReturnType<typeof open>>
  #texts: string[] = []
  #waiters: (() => void)[] = []
  #flushing = false
  #buffer = Buffer.allocUnsafe(4 << 20)

  constructor(file: Awaited<ReturnType<typeof open>>) {
    this.#file = file
  }

  append(one: Event): Promise<void> {
    const text = JSON.stringify(one)
    return new Promise(resolve => {
      this.#texts.push(text)
      this.#waiters.push(resolve)
      if (this.#flushing) return
      this.#flushing = true
      queueMicrotask(() => void this.#flush())
    })
  }

  async #flush(): Promise<void> {
    while (this.#texts.length > 0) {
      const texts = this.#texts
      const waiters = this.#waiters
      this.#texts = []
      this.#waiters = []
      let offset = 36
      for (const text of texts) {
        const length = this.#buffer.write(text, offset + 5, 'utf8')
        this.#buffer.writeUInt32BE(length, offset)
        offset += 5 + length
      }
      this.#buffer.writeUInt32BE(crc32(this.#buffer.subarray(36, offset)), 32)
      await this.#file.write(this.#buffer, 0, offset)
      await this.#file.datasync()
      for (const resolve of waiters) resolve()
    }
    this.#flushing = false
  }
}

interface Round {
  readonly perSecond: number
  readonly latencies: Float64Array
}

/** Keeps `inFlight` events waiting until `count` are acknowledged. */
async function run(appender: Appender, inFlight: number, count: number): Promise<Round> {
  globalThis.gc?.()
  const latencies = new Float64Array(count)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const i = next++
      const began = performance.now()
      await appender.append(event(i))
      latencies[i] = performance.now() - began
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: inFlight }, worker))
  return { perSecond: count / ((performance.now() - began) / 1_000), latencies }
}

const log = await openAuditLog({ directory: join(root, 'log'), origin: 'bench.example/audit' })
const ours: Appender = { append: one => log.commit(one) }
const rawFile = await open(join(root, 'raw.log'), 'a')
const raw: Appender = new RawAppend(rawFile)
const ratios: Record<string, number> = {}
const figures: Record<string, number | string> = {}
let committed = 0

for (const [inFlight, full] of [
  [64, 30_000],
  [1_024, 80_000],
  [1, 1_500],
] as const) {
  const count = full * SHARE
  const speeds: Record<'ours' | 'raw', number[]> = { ours: [], raw: [] }
  const p99: Record<'ours' | 'raw', number[]> = { ours: [], raw: [] }
  const sustained: number[] = []
  for (let round = -1; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? (['ours', 'raw'] as const) : (['raw', 'ours'] as const)
    for (const name of order) {
      const began = performance.now()
      const { perSecond, latencies } = await run(name === 'ours' ? ours : raw, inFlight, count)
      if (name === 'ours') {
        committed += count
        // The follower finishes before the other's turn: it must not slow the raw append down.
        await log.checkpoint()
        if (round >= 0) sustained.push(count / ((performance.now() - began) / 1_000))
      }
      if (round < 0) continue
      speeds[name].push(perSecond)
      p99[name].push(quantile([...latencies], 0.99))
    }
  }
  ratios[`vs_raw_${inFlight}`] = median(speeds.ours) / median(speeds.raw)
  ratios[`p99_${inFlight}`] = median(p99.ours) / median(p99.raw)
  figures[`ours_${inFlight}_events_per_second`] = Math.round(median(speeds.ours))
  figures[`raw_${inFlight}_events_per_second`] = Math.round(median(speeds.raw))
  figures[`ours_${inFlight}_p99_ms`] = Number(median(p99.ours).toFixed(3))
  figures[`raw_${inFlight}_p99_ms`] = Number(median(p99.raw).toFixed(3))
  figures[`ours_${inFlight}_sustained_with_tree_and_index_per_second`] = Math.round(median(sustained))
  console.log(
    `${inFlight} in flight: ours ${Math.round(median(speeds.ours))}/s, raw ${Math.round(median(speeds.raw))}/s`,
  )
}
await log.close()
await rawFile.close()

const sizeOf = (pattern: string): number =>
  globSync(pattern, { cwd: root }).reduce((total, file) => {
    const stats = statSync(join(root, file))
    return stats.isFile() ? total + stats.size : total
  }, 0)
figures['bytes_per_event_json'] = Math.round(JSON.stringify(event(12_345)).length)
figures['bytes_per_event_tiles_and_entries'] = Math.round(sizeOf('log/tile/**/*') / committed)
figures['bytes_per_event_index'] = Math.round(sizeOf('log/index.db*') / committed)

const pinoFile = pino.destination({ dest: join(root, 'pino.log'), sync: false, minLength: 0 })
const logger = pino({ base: null, timestamp: false }, pinoFile)
const pinoSpeeds: number[] = []
for (let round = 0; round < (isQuick ? 1 : 3); round++) {
  const began = performance.now()
  for (let i = 0; i < 60_000; i++) {
    logger.info(event(i))
    if (i % 1_024 === 0) await new Promise<void>(resolve => setImmediate(resolve))
  }
  await new Promise<void>((resolve, reject) => pinoFile.flush(error => (error ? reject(error) : resolve())))
  pinoSpeeds.push(60_000 / ((performance.now() - began) / 1_000))
}
figures['pino_file_not_durable_events_per_second'] = Math.round(median(pinoSpeeds))

const sqlite = openSqlite({ path: join(root, 'plain.db') })
sqlite.db.exec('CREATE TABLE events (id INTEGER PRIMARY KEY, time REAL, principal TEXT, event TEXT)')
const insert = sqlite.db.prepare('INSERT INTO events (time, principal, event) VALUES (?, ?, ?)')
const sqliteBegan = performance.now()
for (let i = 0; i < 2_000; i++) {
  const one = event(i)
  insert.run(one.time, one.actor.principal ?? null, JSON.stringify(one))
}
figures['sqlite_insert_per_event_per_second'] = Math.round(
  2_000 / ((performance.now() - sqliteBegan) / 1_000),
)
sqlite.close()

const services = await startServices()
const postgresUrl = services.env['POSTERN_TEST_POSTGRES']
if (postgresUrl !== undefined) {
  const postgres = await connectPostgres({ url: postgresUrl, max: 16 })
  await postgres.query(
    'CREATE TABLE bench_events (id bigserial PRIMARY KEY, time double precision, principal text, event jsonb)',
  )
  const appender: Appender = {
    append: one =>
      postgres.query('INSERT INTO bench_events (time, principal, event) VALUES ($1, $2, $3)', [
        one.time,
        one.actor.principal,
        JSON.stringify(one),
      ]),
  }
  const { perSecond } = await run(appender, 64, 4_000)
  figures['postgres_insert_per_event_64_in_flight_per_second'] = Math.round(perSecond)
  await postgres.query('DROP TABLE bench_events')
  await postgres.close()
}
await services.stop()
rmSync(root, { recursive: true, force: true })

report({
  bench: 'audit',
  ratios,
  figures,
  unequal: [
    'Both serialise each event to JSON, frame it with length and group checksum, and make one write and one fdatasync for all that came meanwhile.',
    'The raw append grows its file; the audit log writes over old segments it no longer needs (at most four), which makes its fdatasync cheaper, until a burst is longer than those.',
    'Acknowledged means durable. Sealing, numbering, hashing, tiles, checkpoint and index follow on another thread within a second; "sustained" counts the time until all of that is done as well.',
    'pino is not durable and proves nothing; the SQLite and PostgreSQL inserts are durable (synchronous=FULL, synchronous_commit=on), have no tree, no proof and no index but the primary key, and SQLite has one writer at a time.',
  ],
})
