export { type InspectionOptions, inspectionGuard } from './guard/inspection-guard.ts'
export { type InspectOptions, inspect } from './inspect.ts'
export {
  inspectLines,
  inspectRecord,
  type RecordVerdict,
  type RequestRecord,
} from './inspect-record.ts'
export { findLeaks, type Leak, LeakScanner } from './leaks/find-leaks.ts'
export { type LoadedRules, loadDatadogRules } from './loaders/datadog-rules.ts'
export { type NativeOpinionOptions, nativeOpinion } from './loaders/native-appsec.ts'
export { loadSecLangRules, type SecLangOptions } from './loaders/seclang-rules.ts'
export { openApiParameterTypes } from './openapi/openapi-parameter-types.ts'
export type { InspectedRequest } from './request/inspected-request.ts'
export type { Family, Level } from './rule/family.ts'
export type { Inspection, Match } from './rule/match.ts'
export { ruleIds } from './rules/rule-ids.ts'
export { checkInspectSettings, type InspectSettings } from './settings/inspect-settings.ts'
export {
  type ProtectedSinks,
  protectSinks,
  type SinkHit,
  type SinkMode,
  type SinkOptions,
  SinkRefused,
  type SinkTargets,
} from './sinks/protect-sinks.ts'
export type { SinkKind } from './sinks/sink-calls.ts'
export { isStrictType, PARAMETER_TYPES, type ParameterType } from './value/parameter-type.ts'
export {
  compileParameterTypes,
  type ParameterSettings,
  type ParameterTypes,
} from './value/parameter-types.ts'
