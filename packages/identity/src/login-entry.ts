export { canonicalAccount } from './login-defence/account-name.ts'
export {
  type AnswerTest,
  answerJson,
  answerText,
  redirect,
  setsCookie,
  status,
} from './login-defence/answer-test.ts'
export type { GraphqlLogin } from './login-defence/graphql-login.ts'
export type { JsonRpcLogin } from './login-defence/json-rpc-login.ts'
export { DEFAULT_LANES, type LaneRules } from './login-defence/lane-rules.ts'
export { LoginDefence, type LoginDefenceOptions } from './login-defence/login-defence.ts'
export { loginDetector } from './login-defence/login-detector.ts'
export type { LinkMail } from './login-defence/login-links.ts'
export type { LoginSettings } from './login-defence/login-settings.ts'
export type { LoginStore } from './login-defence/login-store.ts'
export { memoryLoginStore } from './login-defence/memory-login-store.ts'
export { postgresLoginStore } from './login-defence/postgres-login-store.ts'
export { redisLoginStore } from './login-defence/redis-login-store.ts'
export { sqliteLoginStore } from './login-defence/sqlite-login-store.ts'
