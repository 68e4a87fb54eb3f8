export { formatActor, parseActor } from './actor-text.ts'
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
export { laterRemediations } from './later-remediations.ts'
export { type PostgresRemediationOptions, postgresRemediations } from './postgres-remediations.ts'
export type { ProtectedOptions } from './protected-actors.ts'
export { type RedisRemediationOptions, redisRemediations } from './redis-remediations.ts'
export { type RemediationGuardOptions, remediationGuard } from './remediation-guard.ts'
export type { ActorSet } from './remediation-index.ts'
export { RemediationStore } from './remediation-store.ts'
export type {
  RemediationChange,
  RemediationRequest,
  RemediationStoreOptions,
} from './remediation-store-options.ts'
export type { RemediationTable } from './remediation-table.ts'
export { type SqliteRemediationOptions, sqliteRemediations } from './sqlite-remediations.ts'
