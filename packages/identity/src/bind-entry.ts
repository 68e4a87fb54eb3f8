export { BoundSessions, type BoundSessionsOptions } from './bind/bound-sessions.ts'
export {
  type BoundStore,
  memoryBoundStore,
  postgresBoundStore,
  redisBoundStore,
  sqliteBoundStore,
} from './bind/bound-stores.ts'
