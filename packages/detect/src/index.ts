export { parseAccessLog } from './access-log/access-log.ts'
export { logEvent } from './access-log/log-event.ts'
export type { LogRecord } from './access-log/log-record.ts'
export type { BehaviourOptions } from './behaviour/behaviour-options.ts'
export { type IdWalkOptions, idWalkDetector } from './behaviour/id-walk-detector.ts'
export { type SessionDriftOptions, sessionDriftDetector } from './behaviour/session-drift-detector.ts'
export { type Coordinates, type TravelOptions, travelDetector } from './behaviour/travel-detector.ts'
export { type VolumeOptions, volumeDetector } from './behaviour/volume-detector.ts'
export { type BouncerKey, type BouncerKeys, bouncerKeys } from './crowdsec/bouncer-keys.ts'
export { type CrowdsecApi, type CrowdsecApiOptions, crowdsecApi } from './crowdsec/crowdsec-api.ts'
export { CrowdsecFeed, type CrowdsecFeedOptions } from './crowdsec/crowdsec-feed.ts'
export {
  type CloudflareChange,
  type CloudflareListOptions,
  exportToCloudflare,
} from './export/cloudflare-list.ts'
export {
  followWithNftables,
  type NftablesFollowerOptions,
  type NftablesOptions,
  nftablesScript,
  runNft,
} from './export/nftables.ts'
export { type HoneyOptions, honeyGuard, honeyRecordTouched } from './honey/honey-guard.ts'
export type { Family, Level } from './inspection/family.ts'
export { type InspectOptions, inspect } from './inspection/inspect.ts'
export {
  inspectLines,
  inspectRecord,
  type RecordVerdict,
  type RequestRecord,
} from './inspection/inspect-record.ts'
export type { InspectedRequest } from './inspection/inspected-request.ts'
export {
  checkInspectSettings,
  type InspectionOptions,
  type InspectSettings,
  inspectionGuard,
} from './inspection/inspection-guard.ts'
export { findLeaks, type Leak, LeakScanner } from './inspection/leaks/find-leaks.ts'
export { type LoadedRules, loadDatadogRules } from './inspection/loaders/datadog-rules.ts'
export { type NativeOpinionOptions, nativeOpinion } from './inspection/loaders/native-appsec.ts'
export { loadSecLangRules, type SecLangOptions } from './inspection/loaders/seclang-rules.ts'
export type { Inspection, Match } from './inspection/match.ts'
export {
  type ProtectedSinks,
  protectSinks,
  type SinkHit,
  type SinkOptions,
  SinkRefused,
  type SinkTargets,
} from './inspection/sinks/protect-sinks.ts'
export type { PathRisk } from './protocol/path-risk.ts'
export { type ProtocolOptions, protocolGuard } from './protocol/protocol-guard.ts'
export { formatActor, parseActor } from './remediation/actor-text.ts'
export { type PostgresRemediationOptions, postgresRemediations } from './remediation/postgres-remediations.ts'
export type { ProtectedOptions } from './remediation/protected-actors.ts'
export { type RedisRemediationOptions, redisRemediations } from './remediation/redis-remediations.ts'
export { type RemediationGuardOptions, remediationGuard } from './remediation/remediation-guard.ts'
export type { ActorSet } from './remediation/remediation-index.ts'
export {
  type RemediationChange,
  type RemediationRequest,
  RemediationStore,
  type RemediationStoreOptions,
} from './remediation/remediation-store.ts'
export { memoryRemediations, type RemediationTable } from './remediation/remediation-table.ts'
export { type SqliteRemediationOptions, sqliteRemediations } from './remediation/sqlite-remediations.ts'
export type { Respond, ScenarioSummary } from './scenario/scenario.ts'
export { type CaseResult, testScenarioCases } from './scenario/scenario-cases.ts'
export {
  type ScenarioDetector,
  type ScenarioDetectorOptions,
  scenarioDetector,
} from './scenario/scenario-detector.ts'
export {
  loadScenarioCases,
  loadScenarios,
  type ScenarioFiles,
  type ScenarioWatchOptions,
  watchScenarios,
} from './scenario/scenario-files.ts'
export { ScenarioSet, type ScenarioSource } from './scenario/scenario-set.ts'
export { LearnedSchemas, type LearnedSchemasOptions } from './schema/learned-schemas.ts'
export {
  type ParameterSchema,
  parseRouteSchemas,
  type RouteSchema,
  type RouteSchemas,
} from './schema/route-schema.ts'
export { type SchemaGuardOptions, schemaGuard } from './schema/schema-guard.ts'
export { SchemaLearner, type SchemaLearnerOptions } from './schema/schema-learner.ts'
