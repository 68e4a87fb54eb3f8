export { parseAccessLog } from './access-log.ts'
export { logEvent } from './log-event.ts'
export type { LogRecord } from './log-record.ts'
