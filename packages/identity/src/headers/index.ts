export type { HeaderPolicy, HeadersSetting } from './header-policy.ts'
export { type SecurityHeadersOptions, securityHeaders } from './security-headers.ts'
export { type CookieChange, tightenCookie } from './tighten-cookie.ts'
