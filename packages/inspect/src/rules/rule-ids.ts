import { ownRules } from './own-rules.ts'

/** Ids that lexers and readers report besides the ids of the rules themselves. */
const REPORTED: readonly string[] = [
  'bounds/charset',
  'bounds/content-encoding',
  'bounds/depth',
  'bounds/effort',
  'bounds/encodings',
  'bounds/expanded',
  'bounds/header-name',
  'bounds/part-header',
  'bounds/parts',
  'bounds/unread',
  'bounds/values',
  'crlf/credentials',
  'parameter/id',
  'parameter/number',
  'parameter/word',
  'probe/internal-header',
  'probe/program-argument',
  'rce/command',
  'rce/separated-look',
  'session/fixation',
  'sqli/arithmetic',
  'sqli/call',
  'sqli/clause',
  'sqli/comment',
  'sqli/concatenation',
  'sqli/outfile',
  'sqli/query',
  'sqli/stacked',
  'sqli/subquery',
  'sqli/tautology',
  'sqli/union',
  'xss/element',
  'xss/handler',
]

/** Every id that an inspection can report, in order, except those of loaded rules (`loaded/...`). */
export const ruleIds: readonly string[] = [...new Set([...ownRules.map(rule => rule.id), ...REPORTED])].sort()
