export * from './csrf/index.ts'
export * from './login-defence/index.ts'
export * from './revocation/index.ts'
export * from './verify/index.ts'
