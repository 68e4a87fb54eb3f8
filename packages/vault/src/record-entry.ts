/** `@postern/vault/record`: the format of a sealed value. */
export type { RecordContext } from './record/record-context.ts'
export { type Mode, type ParsedRecord, parseRecord, RECORD_OVERHEAD } from './record/record-format.ts'
