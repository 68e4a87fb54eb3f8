/** What other tools call a value that has another name here. */
const WORDS: Readonly<Record<string, string>> = {
  monitor: 'observe',
  detect: 'observe',
  detection: 'observe',
  log: 'observe',
  dryrun: 'observe',
  reportonly: 'observe',
  block: 'enforce',
  protect: 'enforce',
  prevent: 'enforce',
  live: 'enforce',
  on: 'enforce',
  ip: 'address',
  remoteaddress: 'address',
  clientip: 'address',
  subnet: 'network',
  user: 'principal',
  userid: 'principal',
  account: 'principal',
  organisation: 'tenant',
  organization: 'tenant',
  apikey: 'apiKey',
  path: 'route',
  url: 'route',
  helmet: 'compatible',
  draft6: 'legacy',
  draft7: 'standard',
  draft8: 'standard',
  allow: 'open',
  fail: 'closed',
  deny: 'closed',
  always: 'after',
  never: 'none',
}

/** The word that another tool's word stands for, where it is one of those that are known. */
export function wordOfOthers(typed: string, known: readonly string[]): string | undefined {
  const word = typed.toLowerCase().replaceAll(/[-_ ]/g, '')
  const meant = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined
  return meant !== undefined && known.includes(meant) ? meant : undefined
}
