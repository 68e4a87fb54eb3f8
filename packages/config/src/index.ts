export { applyException } from './apply-exception.ts'
export { type ConfigPath, configOfText } from './config-file.ts'
export { describeException } from './describe-exception.ts'
export { editJson, editYaml } from './edit-config.ts'
export { fileVersion, followFile } from './follow-file.ts'
export { staleImportsSentence } from './imported-files.ts'
export { configJsonSchema } from './json-schema.ts'
export { type LimitRule, parseLimitRule } from './limit-rule.ts'
export { checkConfig, type LoadedConfig, type LoadOptions, loadConfig } from './load-config.ts'
export { isMemoryOnly } from './memory-only.ts'
export type { LimitKey, LimitListing, NamedLimit } from './named-limit.ts'
export { changedRestartKeys } from './restart-keys.ts'
export type { CompiledApprovals } from './sections/access.ts'
export type { CompiledAlerts } from './sections/alerts.ts'
export type { CompiledAnchor, CompiledAudit, CompiledShip } from './sections/audit.ts'
export type {
  BudgetDatabaseConfig,
  BudgetsConfig,
  CompiledBudgetDatabase,
  RowBudgetConfig,
} from './sections/budgets.ts'
export type { CompiledConsole } from './sections/console.ts'
export type { ExtensionConfig } from './sections/extensions.ts'
export type { CompiledBackendCheck, CompiledCaps, TlsConfig } from './sections/gateway.ts'
export type {
  CompiledIdentify,
  CompiledIdentifyMethod,
  CompiledIdentifyMethods,
  CompiledLookUp,
  IdentifyConfig,
} from './sections/identify.ts'
export type {
  CompiledInspection,
  CompiledSinks,
  ExceptConfig,
  InspectConfig,
  InspectionConfig,
  SinksConfig,
} from './sections/inspect.ts'
export type { LimitConfig } from './sections/limits.ts'
export type { CompiledRoutes, RouteConfig } from './sections/routes.ts'
export type { CompiledTelemetry } from './sections/telemetry.ts'
export { suggest } from './suggest.ts'
export type { CompiledConfig, Config } from './table.ts'
export { type Listen, parseListen } from './types.ts'
export { type EditedConfig, editedConfig, writeConfig, writeException } from './write-exception.ts'
export { yamlPackage } from './yaml-package.ts'
