export { type CsrfOptions, csrfGuard } from './csrf-guard.ts'
export { csrfTokens } from './csrf-tokens.ts'
