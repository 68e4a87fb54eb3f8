export { type ClientOptions, clientGuard } from './client-guard.ts'
export { ClientList, type ClientMatch } from './client-list.ts'
export { type CorsSettings, checkCors } from './cors.ts'
export { type CorsOptions, corsGuard, corsHeadersOf } from './cors-guard.ts'
export type { PathRisk } from './path-risk.ts'
export { type ProtocolOptions, protocolGuard } from './protocol-guard.ts'
export { LearnedSchemas, type LearnedSchemasOptions } from './schema/learned-schemas.ts'
export type { LearnedType } from './schema/parameter-evidence.ts'
export {
  type ParameterSchema,
  parseRouteSchemas,
  type RouteSchema,
  type RouteSchemas,
} from './schema/route-schema.ts'
export { type SchemaGuardOptions, schemaGuard } from './schema/schema-guard.ts'
export { SchemaLearner, type SchemaLearnerOptions } from './schema/schema-learner.ts'
