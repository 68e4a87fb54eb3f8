/** What kind of harm a rule is about. Stable: part of rule ids, exceptions and events. */
export type Family =
  | 'sqli'
  | 'nosqli'
  | 'xss'
  | 'rce'
  | 'traversal'
  | 'template'
  | 'code'
  | 'java'
  | 'ldap'
  | 'mail'
  | 'crlf'
  | 'xxe'
  | 'prototype'
  | 'ssrf'
  | 'rfi'
  | 'deserialisation'
  | 'ssi'
  | 'scanner'
  | 'probe'
  | 'session'
  | 'upload'
  | 'bounds'
  | 'parameter'
  | 'loaded'

/**
 * How strict inspection is. 1 is the default: near-certain attacks only. 4 refuses much that merely looks
 * odd.
 */
export type Level = 1 | 2 | 3 | 4

/** The score at which a family refuses, by level: index 0 is level 1. */
const THRESHOLDS = [5, 4, 3, 2] as const

/** The least score, 1 to 10, that a match must have to refuse a request at a level. */
export function thresholdOf(level: Level): number {
  return THRESHOLDS[level - 1] ?? 5
}
