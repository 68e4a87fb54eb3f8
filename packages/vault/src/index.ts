export { LocalKeys } from './local/local-keys.ts'
export { open, seal } from './local/local-record.ts'
export type { RecordContext } from './record/record-context.ts'
export { type Mode, type ParsedRecord, parseRecord, RECORD_OVERHEAD } from './record/record-format.ts'
