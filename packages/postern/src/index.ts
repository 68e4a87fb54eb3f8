export type { LimitRule } from '@postern/config'
export {
  type Config,
  defineConfig,
  type ExceptConfig,
  type ExtensionConfig,
  type IdentifyConfig,
  type InspectConfig,
  type InspectionConfig,
  type LimitConfig,
  type LimitKey,
  type RouteConfig,
} from '@postern/config'
export {
  ALLOW,
  type AnswerHead,
  ConfigError,
  type Decision,
  type Detector,
  type Event,
  type Exchange,
  type Finding,
  type Guard,
  type Identify,
  type Outcome,
  type Principal,
  type Reason,
  type Refusal,
  StoreError,
} from '@postern/core'
export { type FrameworkRequest, RequestRefused, setPrincipal } from '@postern/http'
export { concurrency, gcra, window as limit } from '@postern/throttle'
export { type Postern, type PosternOptions, postern } from './postern.ts'
