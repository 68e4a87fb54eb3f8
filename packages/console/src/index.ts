export { askApi, type NamedCall } from './api/api-by-name.ts'
export { ApiProblem } from './api/api-route.ts'
export type {
  AttackName,
  AttackResult,
  ConsoleAct,
  ConsoleParts,
  ConsoleSettings,
  EditedSettings,
  GuardedRoute,
  HolderReading,
  HolderSays,
  LimitStanding,
  PolicyDesk,
  PreviewGroup,
  PreviewJob,
  PreviewResult,
  PreviewState,
  SettingsChange,
  SystemReading,
  UndoDesk,
  VaultDesk,
  VaultStatus,
} from './api/console-parts.ts'
export { ROLES, type Role } from './api/console-session.ts'
export { LiveFeed } from './api/live-feed.ts'
export { type Operator, OperatorAccounts, rolesOf } from './api/operator-accounts.ts'
export { type ConsoleOptions, type ConsoleServer, startConsole } from './serve/console-server.ts'
export { type Instance, InstanceBoard } from './traffic/instance-board.ts'
export type { RequestPage } from './traffic/merged-pages.ts'
export { notedPrincipal } from './traffic/noted-principal.ts'
export { OthersFeed } from './traffic/others-feed.ts'
export { isInShare, type PageShare } from './traffic/page-share.ts'
export { PostgresTraffic } from './traffic/postgres-traffic.ts'
export type { PagedRequest, PageHead } from './traffic/request-page.ts'
export { SqliteTraffic, type SqliteTrafficOptions } from './traffic/sqlite-traffic.ts'
export type { StoredEvent, TrafficEvent, Verdict } from './traffic/traffic-event.ts'
export { TrafficRecorder, type TrafficRecorderOptions } from './traffic/traffic-recorder.ts'
export type { TrafficCount, TrafficQuery, TrafficSize, TrafficStore } from './traffic/traffic-store.ts'
