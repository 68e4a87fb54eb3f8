export type { LimitRule } from '@postern/config'
export {
  type Config,
  defineConfig,
  type ExceptConfig,
  type InspectConfig,
  type InspectionConfig,
  type LimitConfig,
  type LimitKey,
  type RouteConfig,
} from '@postern/config'
export { ConfigError, StoreError } from '@postern/core'
export { concurrency, gcra, window as limit } from '@postern/throttle'
export { type Postern, type PosternOptions, postern } from './postern.ts'
