export type { PathRisk } from './protocol/path-risk.ts'
export { type ProtocolOptions, protocolGuard } from './protocol/protocol-guard.ts'
