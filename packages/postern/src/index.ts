export { ConfigError, StoreError } from '@postern/core'
export { concurrency, gcra, window as limit } from '@postern/throttle'
export {
  type Config,
  defineConfig,
  type ExceptConfig,
  type InspectConfig,
  type InspectionConfig,
  type LimitConfig,
  type LimitKey,
  type RouteConfig,
} from './config/config.ts'
export type { LimitRule } from './config/limit-rule.ts'
export { type Postern, type PosternOptions, postern } from './postern.ts'
