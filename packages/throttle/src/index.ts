export type { HeaderStyle } from './answer/rate-limit-headers.ts'
export { type FailurePolicy, local } from './failure/failure-policy.ts'
export { laterStore } from './failure/later-store.ts'
export { body } from './limit/body-key.ts'
export {
  address,
  apiKey,
  combined,
  header,
  type Key,
  type LimitStage,
  network,
  principal,
  route,
  tenant,
} from './limit/key.ts'
export type { Limit, RouteLimit } from './limit/limit.ts'
export type { LimitStore } from './limit/limit-store.ts'
export type { AdaptiveOptions } from './load/adaptive-limit.ts'
export type { LoadClass, LoadSheddingOptions } from './load/load-shedding.ts'
export { MemoryStore, type MemoryStoreOptions, memoryStore } from './memory/memory-store.ts'
export { sharedTable } from './memory/shared-table.ts'
export { limitMigrations, type PostgresStoreOptions, postgresStore } from './remote/postgres-store.ts'
export { type RedisStoreOptions, redisStore } from './remote/redis-store.ts'
export { type OverridesOptions, overrides, ownRules } from './rule/overrides.ts'
export { concurrency, gcra, type Rule, window } from './rule/rule.ts'
export { type Standing, Throttle, type ThrottleFigures, throttle } from './throttle.ts'
export type { ThrottleOptions } from './throttle-options.ts'
