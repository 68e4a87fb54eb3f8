export { type Listen, parseListen } from './checks.ts'
export {
  type AuditConfig,
  type Config,
  defineConfig,
  type ExceptConfig,
  type ForwardAuthConfig,
  type InspectConfig,
  type InspectionConfig,
  type LimitConfig,
  type LimitKey,
  type RouteConfig,
  type ShedConfig,
  type ShipConfig,
} from './config.ts'
export type { ConfigPath } from './config-file.ts'
export { fileVersion, followFile } from './follow-file.ts'
export type { ExtensionConfig, IdentifyConfig } from './identify-config.ts'
export { configJsonSchema } from './json-schema.ts'
export { type LimitRule, parseLimitRule } from './limit-rule.ts'
export { checkConfig, type LoadedConfig, type LoadOptions, loadConfig } from './load-config.ts'
