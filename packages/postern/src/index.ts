import './require-node.ts'
import './unbundled.ts'

export type {
  Config,
  ExceptConfig,
  ExtensionConfig,
  IdentifyConfig,
  InspectConfig,
  InspectionConfig,
  LimitConfig,
  LimitKey,
  LimitRule,
  RouteConfig,
  SinksConfig,
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
export {
  callerOf,
  type FrameworkRequest,
  type RequestCaller,
  RequestRefused,
  setPrincipal,
} from '@postern/http'
export { concurrency, gcra, window as limit } from '@postern/throttle'
export { defineConfig } from './define-config.ts'
export type { PosternOptions } from './options.ts'
export { type Postern, postern } from './postern.ts'
