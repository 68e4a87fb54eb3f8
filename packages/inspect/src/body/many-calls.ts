/** One of the calls that `system.multicall` makes (XML-RPC), by its name. */
const CALL =
  /<name>\s{0,16}methodname\s{0,16}<\/name>\s{0,16}<value>\s{0,16}(?:<string>\s{0,16})?([\w.]{1,64})\s{0,16}</gi
/** Calls that say whether a name and a password fit. */
const LOGS_IN = /(?:get_?users?_?blogs|log_?in|sign_?in|authenticate|check_?(?:auth|password)|getprofile)$/i
const MANY = 5

/** Whether a call of XML-RPC holds many log-ins, past what counts requests. */
export function logsInOften(text: string): boolean {
  if (!/system\.multicall/i.test(text)) return false
  let count = 0
  for (const [, name] of text.matchAll(CALL)) if (LOGS_IN.test(name ?? '') && ++count === MANY) return true
  return false
}
