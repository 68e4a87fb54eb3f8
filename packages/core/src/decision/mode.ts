/** `enforce` refuses; `observe` decides and records, but lets the request pass. */
export type Mode = 'enforce' | 'observe'
