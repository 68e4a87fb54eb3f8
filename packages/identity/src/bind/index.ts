export { BoundSessions, type BoundSessionsOptions } from './bound-sessions.ts'
export {
  type BoundStore,
  memoryBoundStore,
  postgresBoundStore,
  redisBoundStore,
  sqliteBoundStore,
} from './bound-stores.ts'
