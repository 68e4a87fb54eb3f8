export { Gateway, startGateway } from './gateway.ts'
export type {
  GatewayLimits,
  GatewayOptions,
  GatewayTimeouts,
  ListenOptions,
  TlsOptions,
} from './gateway-options.ts'
export {
  IDENTITY_HEADER,
  type SigningKey,
  type VerifyIdentityOptions,
  type VouchedIdentity,
  verifyIdentity,
} from './identity-header.ts'
