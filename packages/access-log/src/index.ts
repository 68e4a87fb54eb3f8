export { parseAccessLog } from './access-log.ts'
export { AccessLogReader } from './access-log-reader.ts'
export { logEvent } from './log-event.ts'
export type { LogRecord } from './log-record.ts'
