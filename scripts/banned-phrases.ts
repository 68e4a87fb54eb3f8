/** Words that read like a translation, or that are a second word for something that has one. */
export interface BannedPhrase {
  readonly pattern: RegExp
  readonly instead: string
}

export const BANNED_PHRASES: readonly BannedPhrase[] = [
  { pattern: /\bmend:|\bmend\b/i, instead: '"hint:", "fix"' },
  { pattern: /\b(?:told|said) otherwise\b/i, instead: '"default: ..."' },
  { pattern: /(?<!\bthere )\b(?:is|are) none\b(?! of\b)/i, instead: '"is not a ...", "is invalid"' },
  { pattern: /\bis not one\b(?! (?:of|that)\b)/i, instead: '"is not a ..."' },
  { pattern: /\btold of\b/i, instead: '"is notified of", "receives"' },
  {
    pattern: /\b(?:is|are|was|were|be|been|being|gets?) told\b(?! apart)/i,
    instead: '"is notified", "is reported", "is determined"',
  },
  { pattern: /\banswers? the telephone\b/i, instead: '"accepts connections"' },
  { pattern: /\bby heart\b/i, instead: '"cached"' },
  { pattern: /\bfor lack of room\b/i, instead: '"evicted (capacity)"' },
  { pattern: /\bin the words of\b/i, instead: '"in the terms of", "as ... names it"' },
  { pattern: /\bmust bear\b/i, instead: '"must tolerate", "must be idempotent"' },
  { pattern: /\b(?:has|have) (?:no )?business\b/i, instead: '"no legitimate client requests it"' },
  { pattern: /\bhit(?:s)? nobody\b/i, instead: '"has no effect", "is ignored"' },
  { pattern: /\bmeasures? that stands?\b/i, instead: '"active remediations"' },
  {
    pattern: /\b(?:standing|live|every|no|all) measures?\b/i,
    instead: '"remediation" (ban, throttle, challenge)',
  },
  { pattern: /\brooms\b|\b(?:this|each|which|every|another) room\b|\bthe room's\b/i, instead: '"package"' },
  { pattern: /\bknows? nothing of\b/i, instead: '"does not know about", "is independent of"' },
  { pattern: /\btwo of us\b/i, instead: '"two Postern processes"' },
  { pattern: /\bbefore dear\b|\bdear to\b/i, instead: '"expensive"' },
  { pattern: /\bgiven up for\b/i, instead: '"evicted"' },
  { pattern: /\bneither[.;:]/i, instead: '"not ... either", "nor"' },
  { pattern: /\bstands? twice\b/i, instead: '"is used twice", "is listed twice"' },
  { pattern: /\bexists already\b/i, instead: '"already exists"' },
  { pattern: /\bsomebody else meanwhile\b/i, instead: '"someone else in the meantime"' },
  { pattern: /\bsomething else than\b/i, instead: '"something other than"' },
  { pattern: /\bget(?:s|ting)? round\b/i, instead: '"bypass", "get around"' },
  { pattern: /\bpolic(?:y|ies) speaks?\b/i, instead: '"a policy applies", "covers"' },
  {
    pattern: /\b(?:is|are) no (?:name|parameter|principal|JSON|rule id|operator|socket|kind)\b/i,
    instead: '"is not a ..."',
  },
  {
    pattern:
      /(?<!\bthere )\b(?:is|are) no (?:access log|event|body|text|HTTP|attack|answer|factor|session|login|token|number|address|list|table|file|path|proof)\b/i,
    instead: '"is not a ..."',
  },
  { pattern: /\bhears? of\b/i, instead: '"is notified of", "receives", "sees"' },
  { pattern: /\bcomes? of it\b/i, instead: '"results from it"' },
  { pattern: /\bfor want of\b/i, instead: '"because ... is missing"' },
  { pattern: /\bin the place of\b/i, instead: '"in place of", "replaces"' },
  {
    pattern: /\b(?:begin|start)(?:s|ed|ning)? anew\b|\bbegan anew\b/i,
    instead: '"starts again", "is reset"',
  },
  { pattern: /\bstands? against\b/i, instead: '"applies to", "is active for"' },
  { pattern: /\bas a matter of course\b/i, instead: '"by default", "normally"' },
  { pattern: /\bnot believed\b/i, instead: '"not trusted", "ignored"' },
  { pattern: /\bcannot be had\b/i, instead: '"is unavailable"' },
  { pattern: /\bin vain\b/i, instead: '"without success"' },
  { pattern: /\bfor ever\b/i, instead: '"forever", "indefinitely"' },
  { pattern: /\bwhat operators do\b/i, instead: '"operator actions"' },
]
