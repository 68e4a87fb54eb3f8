export { FILES_OF_BACKEND_CONNECTION } from './backend-slots.ts'
export { type CloseOptions, Gateway, startGateway } from './gateway.ts'
export type {
  GatewayLimits,
  GatewayOptions,
  GatewayTimeouts,
  ListenOptions,
  TlsOptions,
} from './gateway-options.ts'
export { HeldPort, holdPort, type PortOptions } from './held-port.ts'
export {
  type SigningKey,
  type VerifyIdentityOptions,
  type VouchedIdentity,
  verifyIdentity,
} from './identity-header.ts'
export { type WorkerDuties, type WorkerLink, workerLink } from './worker-link.ts'
export { type Reloaded, startWorkers, type Workers, type WorkersOptions } from './workers.ts'
