export { applyException } from './edit/apply-exception.ts'
export { describeException } from './edit/describe-exception.ts'
export { editJson, editYaml } from './edit/edit-config.ts'
export { type EditedConfig, editedConfig, writeConfig, writeException } from './edit/write-exception.ts'
export { type ConfigPath, configOfText } from './file/config-file.ts'
export { fileVersion, followFile } from './file/follow-file.ts'
export { staleImportsSentence } from './file/imported-files.ts'
export { yamlPackage } from './file/yaml-package.ts'
export { isMemoryOnly } from './key/memory-only.ts'
export { type Listen, parseListen } from './key/types.ts'
export { type LimitRule, parseLimitRule } from './limit/limit-rule.ts'
export type { LimitKey, LimitListing, NamedLimit } from './limit/named-limit.ts'
export { checkConfig, type LoadedConfig, type LoadOptions, loadConfig } from './load/load-config.ts'
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
export { meantDirectory } from './sections/general.ts'
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
export { configJsonSchema } from './table/json-schema.ts'
export { changedRestartKeys } from './table/restart-keys.ts'
export type { CompiledConfig, Config } from './table/table.ts'
export { suggest } from './words/suggest.ts'
