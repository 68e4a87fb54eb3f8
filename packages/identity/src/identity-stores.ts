import { type Clock, type RandomSource, systemClock, systemRandom } from '@postern/core'
import type { PostgresDatabase, RedisConnection, SqliteDatabase } from '@postern/store'
import {
  type BoundStore,
  memoryBoundStore,
  postgresBoundStore,
  redisBoundStore,
  sqliteBoundStore,
} from './bind/bound-stores.ts'
import type { LoginStore } from './login-defence/login-store.ts'
import { memoryLoginStore } from './login-defence/memory-login-store.ts'
import { postgresLoginStore } from './login-defence/postgres-login-store.ts'
import { redisLoginStore } from './login-defence/redis-login-store.ts'
import { sqliteLoginStore } from './login-defence/sqlite-login-store.ts'
import { postgresRecords } from './records/postgres-records.ts'
import type { RecordCodec, RecordStore } from './records/record-store.ts'
import { redisRecords } from './records/redis-records.ts'
import { sqliteRecords } from './records/sqlite-records.ts'

/**
 * Where records are kept: in the first of these that is given; else in memory. All
 * are opened and closed by the caller.
 */
export interface IdentityPlaces {
  readonly redis?: RedisConnection | undefined
  readonly postgres?: PostgresDatabase | undefined
  readonly sqlite?: SqliteDatabase | undefined
  readonly clock?: Clock
  readonly random?: RandomSource
}

/** What login defence and bound sessions keep, and the secret under which they hash, sign and seal. */
export interface IdentityStores {
  readonly login: LoginStore
  readonly bound: BoundStore
  /** 32 bytes, the same for all who share the store, also after a restart. */
  readonly secret: Uint8Array
}

const KIND = 'secret'
const CENTURY = 3_155_760_000_000
const SECRET_CODEC: RecordCodec<string> = {
  read: text => text ?? '',
  write: text => text,
  lifetime: () => CENTURY,
}

/**
 * Opens what login defence and bound sessions keep.
 * @throws StoreError (rejects) when the store cannot be read or prepared
 */
export async function openIdentityStores(places: IdentityPlaces): Promise<IdentityStores> {
  const { redis, postgres, sqlite, clock = systemClock, random = systemRandom } = places
  if (redis !== undefined)
    return {
      login: redisLoginStore({ redis, clock }),
      bound: redisBoundStore(redis, 'postern', clock),
      secret: await sharedSecret(redisRecords(redis, 'postern:identity:', SECRET_CODEC, clock), random),
    }
  if (postgres !== undefined)
    return {
      login: await postgresLoginStore({ database: postgres, clock }),
      bound: await postgresBoundStore(postgres, clock),
      secret: await sharedSecret(await postgresRecords(postgres, KIND, SECRET_CODEC, clock), random),
    }
  if (sqlite !== undefined)
    return {
      login: sqliteLoginStore({ database: sqlite, clock }),
      bound: sqliteBoundStore(sqlite, clock),
      secret: await sharedSecret(sqliteRecords(sqlite, KIND, SECRET_CODEC, clock), random),
    }
  return { login: memoryLoginStore(), bound: memoryBoundStore(clock), secret: random.bytes(32) }
}

/** The secret that whoever came first made. */
async function sharedSecret(store: RecordStore<string>, random: RandomSource): Promise<Uint8Array> {
  const fresh = Buffer.from(random.bytes(32)).toString('base64url')
  const text = await store.update('secret', kept =>
    kept === '' ? { record: fresh, result: fresh } : { result: kept },
  )
  return Buffer.from(text, 'base64url')
}
