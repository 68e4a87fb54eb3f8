import { isBody, type Reading } from '../value/reading.ts'

/** What the agent of Zabbix is asked of a file or a log: `vfs.file.cksum[/etc/passwd,sha256]`. */
const ITEM =
  /\b(?:vfs\.(?:file|dir|fs)(?:\.[a-z]{2,16}){1,2}|log(?:rt)?(?:\.count)?)\["?\/[\w./-]{1,200}"?((?:,[^\]\r\n]{0,200})?)\]/g
/** Its name, as the templates that come with it write it: `Checksum of /etc/passwd`. */
const NAMED =
  /^(?:[\p{L}\d][\p{L}\d -]{0,40}: )?(?:(?:checksum|content|hash|owner|permissions|size|status) of \/etc\/[\w.-]{1,40}|\/etc\/[\w.-]{1,40} has been changed(?: since the last check)?)$/u
const NAME = /^(?:event_?)?name$/
/** A path that still stands in what is left, or leads out of a folder. */
const OTHER = /\/(?:etc|proc|root|home|var|usr|boot|dev|sys|opt|windows)\b|\.\.|[\0\r\n]/

/**
 * Whether a file is named only as one that an agent watches: nothing opens it under such a name.
 * @param isOfPage whether it stands in the query of the page that sent the request
 */
export function isAgentItem({ place, name, lower }: Reading, isOfPage: boolean): boolean {
  if (lower.length > 2_000) return false
  if (place !== 'query' && !isBody(place) && !isOfPage) return false
  if (isBody(place) && NAME.test(name) && NAMED.test(lower)) return true
  const rest = lower.replace(ITEM, '$1')
  return rest.length < lower.length && !OTHER.test(rest) && !lower.includes('..')
}
