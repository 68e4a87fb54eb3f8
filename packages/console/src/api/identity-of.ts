import { type ApiCall, ApiProblem } from './api-route.ts'
import type { IdentityDesk } from './console-parts.ts'

/** Built-in identity. @throws ApiProblem 404 where the configuration has none */
export function identityOf({ parts }: ApiCall): IdentityDesk {
  if (parts.identity !== undefined) return parts.identity
  throw new ApiProblem(404, 'the configuration has no identity, so there are no keys, users or sessions here')
}
