export { canonicalAccount } from './account-name.ts'
export {
  type AnswerTest,
  answerJson,
  answerText,
  redirect,
  setsCookie,
  status,
} from './answer-test.ts'
export { isCommonPassword } from './common-passwords.ts'
export type { GraphqlLogin } from './graphql-login.ts'
export type { JsonRpcLogin } from './json-rpc-login.ts'
export { DEFAULT_LANES, type LaneRules } from './lane-rules.ts'
export { LoginDefence, type LoginDefenceOptions } from './login-defence.ts'
export { loginDetector } from './login-detector.ts'
export type { LinkMail } from './login-links.ts'
export type { LoginSettings } from './login-settings.ts'
export type { LoginStore } from './login-store.ts'
export { memoryLoginStore } from './memory-login-store.ts'
export { postgresLoginStore } from './postgres-login-store.ts'
export { redisLoginStore } from './redis-login-store.ts'
export { sqliteLoginStore } from './sqlite-login-store.ts'
