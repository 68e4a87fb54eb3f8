export type { AdaptiveOptions } from './adaptive-limit.ts'
export { body } from './body-key.ts'
export { type FailurePolicy, local } from './failure-policy.ts'
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
} from './key.ts'
export { laterStore } from './later-store.ts'
export type { Limit, RouteLimit } from './limit.ts'
export type { LimitStore } from './limit-store.ts'
export type { LoadClass, LoadSheddingOptions } from './load-shedding.ts'
export { MemoryStore, type MemoryStoreOptions, memoryStore } from './memory-store.ts'
export { type OverridesOptions, overrides, ownRules } from './overrides.ts'
export { limitMigrations, type PostgresStoreOptions, postgresStore } from './postgres-store.ts'
export type { HeaderStyle } from './rate-limit-headers.ts'
export { type RedisStoreOptions, redisStore } from './redis-store.ts'
export { concurrency, gcra, type Rule, window } from './rule.ts'
export { sharedTable } from './shared-table.ts'
export { type Standing, Throttle, type ThrottleFigures, throttle } from './throttle.ts'
export type { ThrottleOptions } from './throttle-options.ts'
