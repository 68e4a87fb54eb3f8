/** A mutant that no test notices, and why none should be written for it. */
export interface ExplainedMutant {
  readonly file: string
  /** The line as it stands in the source, without its indentation. */
  readonly line: string
  /** The change as the runner names it; default: every change of the line. */
  readonly what?: string
  readonly because: string
}

/**
 * What survives `npm run mutate` and should: the program does the same, or differs where nothing is promised.
 */
export const EXPLAINED_MUTANTS: readonly ExplainedMutant[] = [
  {
    file: 'packages/throttle/src/memory/memory-store.ts',
    line: '#stepIndex = 0',
    because: 'the first decision enters a sub-window, which sets it before it is read',
  },
  {
    file: 'packages/throttle/src/answer/rate-limit-headers.ts',
    line: 'if (names.size < 64) this.#policies.set(rule, names.set(name, text))',
    what: 'one more',
    because: 'only the size of a cache: what is not cached is made again',
  },
  {
    file: 'packages/throttle/src/memory/bucket-table.ts',
    line: 'let lightest = -1',
    because: 'every pressure is below the first bound, so that the first slot replaces it',
  },
  {
    file: 'packages/throttle/src/memory/bucket-table.ts',
    line: 'return (age | 0) <= ((tag & WIDE) === 0 ? 8 : 4)',
    what: 'one more',
    because: 'a slot of which all counts have left is used again one sub-window later',
  },
  {
    file: 'packages/throttle/src/limit/key.ts',
    line: 'const isWhole = (width.v4 ?? 32) === 32',
    because: 'a whole IPv4 address is its own text also by the longer way',
  },
  {
    file: 'packages/throttle/src/rule/rule.ts',
    line: 'problem: `${String(limit).slice(0, 40)} is not a whole number from 1 to 2,147,483,647`,',
    what: 'one more',
    because: 'only how much of a wrong value the message shows',
  },
  {
    file: 'packages/remediate/src/crowdsec/crowdsec-feed.ts',
    line: "this.#problem = error instanceof Error ? error.message.slice(0, 500) : 'failed'",
    what: 'one more',
    because: 'only how much of a message the health line shows',
  },
  {
    file: 'packages/remediate/src/export/cloudflare-list.ts',
    line: 'for (const [network, remediation] of coveringNetworks(options.store.list(100_000), now)) {',
    what: 'one more',
    because: 'a list of Cloudflare holds a tenth of these',
  },
  {
    file: 'packages/remediate/src/export/nftables.ts',
    line: 'const networks = coveringNetworks(store.list(100_000), now)',
    what: 'one more',
    because: 'the store holds no more than that',
  },
  {
    file: 'packages/remediate/src/export/nftables.ts',
    line: "else fail(`nft ended with ${code}: ${said.split('\\n', 1)[0] ?? ''}`)",
    what: 'one more',
    because: 'only how many lines are split off before the first is taken',
  },
  {
    file: 'packages/remediate/src/remediation-store.ts',
    line: 'if (this.#index.size === 0) return undefined',
    because: 'a shortcut: an empty index holds nothing against anybody either way',
  },
  {
    file: 'packages/remediate/src/redis-remediations.ts',
    line: "if (list === null) throw new Error('the transaction was discarded')",
    because: 'Redis discards a MULTI only when a key was watched, and none is',
  },
  {
    file: 'packages/remediate/src/remediation-guard.ts',
    line: "const nonce = Buffer.from(random.bytes(16)).toString('base64url')",
    what: 'one more',
    because: 'a nonce of 17 bytes is as good as one of 16',
  },
  {
    file: 'packages/throttle/src/failure/failure-tolerant-store.ts',
    line: 'const STOOD_STILL = 10',
    what: 'one more',
    because: 'how late a timer has to be before the process counts as stalled is a guess either way',
  },
  {
    file: 'packages/throttle/src/hash/keyed-hash.ts',
    line: 'a = Math.imul(a ^ (a >>> 16), 0x85ebca6b)',
    what: 'one more',
    because: 'another mixing of the same sum, which is as good',
  },
  {
    file: 'packages/throttle/src/hash/keyed-hash.ts',
    line: 'b = Math.imul(b ^ (b >>> 16), 0xc2b2ae35)',
    what: 'one more',
    because: 'another mixing of the same sum, which is as good',
  },
  {
    file: 'packages/throttle/src/hash/keyed-hash.ts',
    line: 'let b = salt1 + Math.imul(length, multipliers[LONGEST * 2 + 1] as number)',
    because: 'the length is multiplied by another random number, or with the other sign',
  },
  {
    file: 'packages/throttle/src/memory/memory-store.ts',
    line: 'return true',
    what: 'false for true',
    because: 'the general way then gives the same answer, which costs time only',
  },
  {
    file: 'packages/throttle/src/memory/memory-store.ts',
    line: 'if (this.#locks !== undefined) {',
    what: 'never holds',
    because: 'without the lock it goes wrong only when another thread decides in the same microsecond',
  },
  {
    file: 'packages/throttle/src/throttle.ts',
    line: 'if (held.place !== undefined) this.#places.release(held.place)',
    what: 'always holds',
    because: 'a chain of no places is given back by doing nothing',
  },
  {
    file: 'packages/core/src/address/address.ts',
    line: 'const CACHE_LIMIT = 4_096',
    what: 'one more',
    because: 'only the size of a cache: what is not cached is parsed again',
  },
  {
    file: 'packages/core/src/address/address.ts',
    line: 'if (length < 7 || length > 15) return false',
    because: 'a shortcut: a text of another length is not an IPv4 address for other reasons too',
  },
  {
    file: 'packages/core/src/address/cidr.ts',
    line: 'this.#asked = address',
    because: 'only the last answer is cached',
  },
  {
    file: 'packages/core/src/engine/engine.ts',
    line: 'if (this.#recorder === undefined) return false',
    because: 'without a recorder nothing is recorded, whatever is said',
  },
  {
    file: 'packages/core/src/event/http-event.ts',
    line: 'if (this.#actor === undefined) {',
    what: 'always holds',
    because: 'the same actor is made again at each look',
  },
  {
    file: 'packages/core/src/route/query-values.ts',
    line: "if (query === '') return { fields, complete: true }",
    because: 'a shortcut: an empty query is one empty pair, which is passed over',
  },
  {
    file: 'packages/core/src/route/method-override.ts',
    line: 'if (name.length < 7) return undefined',
    what: 'never holds',
    because: 'only saves time: the shortest name that asks for a method has seven characters',
  },
  {
    file: 'packages/core/src/route/request-path.ts',
    line: "if (!text.includes('%')) return { text, bad: false }",
    what: 'never holds',
    because: 'only saves time: a text without a percent sign decodes to itself',
  },
  {
    file: 'packages/core/src/route/query-values.ts',
    line: "const pairs = query.split('&', MAX_FIELDS + 1)",
    what: 'one more',
    because: 'one pair over the limit is enough to know that there are more',
  },
  {
    file: 'packages/core/src/event/redact-query.ts',
    line: 'const MAX_QUERY = 2_048',
    what: 'one more',
    because: 'only how much of a long query is written down',
  },
  {
    file: 'packages/core/src/reading/claimed-credential.ts',
    line: 'if (mayBeKey) {',
    what: 'always holds',
    because: 'only saves time: no header of another length has one of these names',
  },
  {
    file: 'packages/core/src/route/method-override.ts',
    line: "const read = (name.split('\\0', 1)[0] ?? '')",
    what: 'one more',
    because: 'only the first part is taken',
  },
  {
    file: 'packages/inspect/src/rules/directory-and-mail.ts',
    line: 'chars: CHAR.newline | CHAR.backslash | CHAR.space,',
    what: '"&" for "|"',
    because: 'only over which texts the rule is passed over',
  },
  {
    file: 'packages/inspect/src/rules/command-places.ts',
    line: 'words: WORD.windows | WORD.shell,',
    what: '"&" for "|"',
    because: 'only over which texts the rule is passed over',
  },
  {
    file: 'packages/inspect/src/rules/sqli.ts',
    line: "for (let open = lower.indexOf('/*'); open >= 0; open = lower.indexOf('/*', open + 2)) {",
    what: '">" for ">="',
    because: 'no word stands before a comment that begins the text',
  },
  {
    file: 'packages/inspect/src/rules/rce.ts',
    line: 'let fetch = -1',
    because: 'any place before the text: it is set before it counts',
  },
  {
    file: 'packages/inspect/src/rules/sqli.ts',
    line: 'score: 6,',
    what: 'one more',
    because: 'the lexer behind the rule gives each shape a score of its own',
  },
  {
    file: 'packages/inspect/src/rules/rce.ts',
    line: 'score: 6,',
    what: 'one more',
    because: 'the lexer behind the rule gives each shape a score of its own',
  },
  {
    file: 'packages/inspect/src/rules/xss.ts',
    line: 'score: 6,',
    what: 'one more',
    because: 'the lexer behind the rule gives each shape a score of its own',
  },
]
