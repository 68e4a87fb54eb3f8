export { FILES_OF_BACKEND_CONNECTION } from './backend/backend-slots.ts'
export { HeldPort, holdPort, type PortOptions } from './connection/held-port.ts'
export { type CloseOptions, Gateway, startGateway } from './gateway.ts'
export {
  type SigningKey,
  type VerifyIdentityOptions,
  type VouchedIdentity,
  verifyIdentity,
} from './message/identity-header.ts'
export type {
  GatewayLimits,
  GatewayOptions,
  GatewayTimeouts,
  ListenOptions,
  TlsOptions,
} from './options/gateway-options.ts'
export { type WorkerDuties, type WorkerLink, workerLink } from './worker/worker-link.ts'
export { type Reloaded, startWorkers, type Workers, type WorkersOptions } from './worker/workers.ts'
