export * from './login-defence/index.ts'
