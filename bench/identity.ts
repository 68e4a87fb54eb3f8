// What built-in identity costs: the check of a session and of an API key, and how long a file read
// waits while many people sign in at once.

import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine, parseAddress, systemClock } from '@postern/core'
import { connectPostgres, connectRedis, openSqlite, redisReady } from '@postern/store'
import { Accounts } from '../packages/identity/src/account/accounts.ts'
import { parseEmail } from '../packages/identity/src/account/email.ts'
import { ApiKeys } from '../packages/identity/src/api-key/api-keys.ts'
import { identityDatabase } from '../packages/identity/src/database/identity-database.ts'
import { migrateIdentity } from '../packages/identity/src/database/identity-migrations.sql.ts'
import { IdentitySecret } from '../packages/identity/src/database/identity-secret.ts'
import { Passwords } from '../packages/identity/src/password/passwords.ts'
import { argon2idHash, DEFAULT_COST } from '../packages/identity/src/password/stored-hash.ts'
import { RedisSessions } from '../packages/identity/src/session/redis-sessions.ts'
import { Sessions } from '../packages/identity/src/session/sessions.ts'
import { Standings } from '../packages/identity/src/session/standings.ts'
import { startServices } from '../test/services.ts'
import { type Candidate, interleave, isQuick, median, printTimings, report } from './support/harness.ts'

const ROUNDS = 15
const OPERATIONS = 5_000
const SESSIONS = 5_000
const LOGINS = isQuick ? 10 : 50
/** Sessions and checks in PostgreSQL and in Redis: each waits for its answer, as a request does. */
const REMOTE = isQuick ? 100 : 500
const BURSTS = isQuick ? 2 : 5
const HERE = '192.0.2.7'

const folder = mkdtempSync(join(tmpdir(), 'postern-bench-identity-'))
const connection = openSqlite({ path: join(folder, 'identity.db'), synchronous: 'normal' })
try {
  await migrateIdentity(connection)
  const database = identityDatabase(connection)
  const secret = new IdentitySecret('a secret of the benchmark, long enough for it')
  const accounts = new Accounts({ database })
  const sessions = new Sessions({ database })
  const apiKeys = new ApiKeys({ database, secret })
  const tokens: string[] = []
  for (let i = 0; i < SESSIONS; i++) {
    const email = parseEmail(`person${i}@shop.example`)
    const account = email === undefined ? undefined : await accounts.create({ email, emailVerified: 'yes' })
    const wish = { accountId: account?.id ?? '', amr: ['pwd'], address: HERE, agent: 'bench' }
    tokens.push((await sessions.begin(wish)).token)
  }
  const keys: string[] = []
  for (let i = 0; i < 1_000; i++) {
    const issued = await apiKeys.create(
      { kind: 'user', id: `person${i}` },
      { name: 'bench', scopes: ['read'] },
    )
    keys.push(issued.text)
  }
  const address = parseAddress(HERE)
  if (address === undefined) throw new Error('no address')
  for (const key of keys) await apiKeys.check(key, address)

  const services = await startServices()
  const url = services.env['POSTERN_TEST_POSTGRES']
  if (url === undefined) throw new Error('no PostgreSQL')
  const remote = connectPostgres({ url, max: 2 })
  await migrateIdentity(remote)
  const remoteDatabase = identityDatabase(remote)
  const remoteSessions = new Sessions({ database: remoteDatabase })
  const remoteAccounts = new Accounts({ database: remoteDatabase })
  const remoteTokens: string[] = []
  const redisUrl = services.env['POSTERN_TEST_REDIS']
  if (redisUrl === undefined) throw new Error('no Redis')
  const redis = connectRedis({ url: redisUrl })
  await redisReady(redis)
  const redisSessions = new Sessions({
    database: remoteDatabase,
    store: new RedisSessions({
      redis,
      standings: new Standings(remoteDatabase, systemClock),
      prefix: `bench-${process.pid}`,
    }),
  })
  const redisTokens: string[] = []
  for (let i = 0; i < REMOTE; i++) {
    const email = parseEmail(`bench${process.pid}-${i}@shop.example`)
    const account =
      email === undefined ? undefined : await remoteAccounts.create({ email, emailVerified: 'yes' })
    const wish = { accountId: account?.id ?? '', amr: ['pwd'], address: HERE, agent: 'bench' }
    remoteTokens.push((await remoteSessions.begin(wish)).token)
    redisTokens.push((await redisSessions.begin(wish)).token)
  }

  await redis.set(`bench-${process.pid}:scale`, 'x'.repeat(400), 'EX', 600)
  let turn = 0
  const candidates: Candidate[] = [
    {
      name: 'session check, PostgreSQL',
      operations: REMOTE,
      run: async () => {
        for (const token of remoteTokens)
          if ((await remoteSessions.find(token, HERE)) === undefined)
            throw new Error('a session must be found')
      },
    },
    {
      name: 'session check, Redis',
      operations: REMOTE,
      // Accounts that were active within the second: of others the database is asked first.
      prepare: async () => {
        for (const token of redisTokens) await redisSessions.find(token, HERE)
      },
      run: async () => {
        for (const token of redisTokens)
          if ((await redisSessions.find(token, HERE)) === undefined)
            throw new Error('a session must be found')
      },
    },
    {
      name: 'a GET of as many bytes, Redis, for scale',
      operations: REMOTE,
      run: async () => {
        for (let i = 0; i < REMOTE; i++) await redis.get(`bench-${process.pid}:scale`)
      },
    },
    {
      name: 'session check, SQLite, 5,000 sessions',
      operations: OPERATIONS,
      run: () => {
        for (let i = 0; i < OPERATIONS; i++) {
          const found = sessions.find(tokens[turn++ % SESSIONS] ?? '', HERE)
          if (found === undefined || found instanceof Promise)
            throw new Error('a session must be found at once')
        }
      },
    },
    {
      name: 'API key check, SQLite, 1,000 keys',
      operations: OPERATIONS,
      run: async () => {
        for (let i = 0; i < OPERATIONS; i++) {
          const check = await apiKeys.check(keys[turn++ % keys.length] ?? '', address)
          if (check.kind !== 'accepted') throw new Error('a key must be accepted')
        }
      },
    },
    {
      name: 'an empty exchange, for scale',
      operations: OPERATIONS,
      run: () => {
        const engine = new Engine()
        for (let i = 0; i < OPERATIONS; i++)
          engine.decide(
            engine.open({
              method: 'GET',
              target: '/',
              headers: [],
              peer: HERE,
              secure: false,
              httpVersion: '1.1',
              body: undefined,
              native: undefined,
            }),
          )
      },
    },
  ]
  const timings = await interleave(candidates, ROUNDS)
  printTimings('checks', timings)

  const passwords = new Passwords()
  const stored = await passwords.hash('a quiet river')
  /** How long the slowest of a few file reads took while a burst of sign-ins ran, as a share of the burst. */
  const burst = async (signIn: () => Promise<unknown>): Promise<number> => {
    const started = performance.now()
    const work = Array.from({ length: LOGINS }, signIn)
    let slowest = 0
    let isOver = false
    const all = Promise.all(work).finally(() => {
      isOver = true
    })
    while (!isOver) {
      const before = performance.now()
      await readFile(join(folder, 'identity.db'), { flag: 'r' }).then(bytes => bytes.length)
      slowest = Math.max(slowest, performance.now() - before)
      await new Promise<void>(resolve => setImmediate(resolve))
    }
    await all
    return slowest / (performance.now() - started)
  }
  const queued: number[] = []
  const direct: number[] = []
  for (let i = 0; i < BURSTS; i++) {
    queued.push(await burst(() => passwords.verify('a quiet river', stored)))
    direct.push(await burst(() => argon2idHash('a quiet river', DEFAULT_COST)))
  }
  for (const token of redisTokens) await redisSessions.end(token)
  redis.disconnect()
  await remote.close()
  await services.stop()
  const microseconds = (start: string, by: 'median' | 'best'): number => {
    const timing = timings.find(({ name }) => name.startsWith(start))
    return Number(((timing?.[by] ?? Number.NaN) / 1_000).toFixed(2))
  }
  report({
    bench: 'identity',
    ratios: {
      file_read_waits_of_burst_queued: median(queued),
      file_read_waits_of_burst_without_queue: median(direct),
    },
    figures: {
      session_check_us: microseconds('session check, SQLite', 'median'),
      session_check_best_us: microseconds('session check, SQLite', 'best'),
      session_check_redis_us: microseconds('session check, Redis', 'median'),
      session_check_redis_best_us: microseconds('session check, Redis', 'best'),
      redis_get_us: microseconds('a GET', 'median'),
      session_check_postgres_us: microseconds('session check, PostgreSQL', 'median'),
      session_check_postgres_best_us: microseconds('session check, PostgreSQL', 'best'),
      api_key_check_us: microseconds('API key check', 'median'),
      logins_at_once: LOGINS,
    },
    unequal: [
      'a session check reads the account and the roles too; nothing is cached, but with Redis: there they are a second old at most',
      'PostgreSQL and Redis are asked over a socket of this machine, one check after the other',
      'without a queue, argon2id is called as often as people sign in; with it, as often as there are cores to spare',
      'the slowest read of each burst counts, not the mean',
    ],
  })
} finally {
  connection.close()
  rmSync(folder, { recursive: true, force: true })
}
