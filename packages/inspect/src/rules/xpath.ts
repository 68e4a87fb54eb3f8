import { unopened } from '../lex/unopened.ts'
import { type PatternRule, pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'

/** A predicate that the value opened itself breaks out of none. */
function unlessOpened(rule: PatternRule): PatternRule {
  return { ...rule, find: reading => unopened(rule, reading) }
}

/**
 * XPath: a predicate closed, another node set joined on, axes and node functions where data belongs,
 * documents of others loaded.
 */
export const xpathRules: readonly Rule[] = [
  unlessOpened(
    pattern(
      'code/xpath',
      /["'\])]\s{0,2}\]?\s{0,2}\|\s{0,2}\/{1,2}[\w*]|(?:\/{1,2}|\(|\[)(?:child|parent|descendant|ancestor|self|following|preceding|attribute)(?:-or-self|-sibling)?::|\b(?:name|count|string-length|substring|starts-with|contains|local-name)\s{0,2}\(\s{0,2}(?:\/{1,2}[\w*]|parent::|name\s{0,2}\(|\.{1,2}[/)])|\bdoc(?:-available)?\s{0,2}\(\s{0,2}["'](?:https?:|file:|\/)|\[\s{0,2}(?:local-)?name\s{0,2}\(\s{0,2}\)\s{0,2}=|^\s{0,4}\/{1,2}\*\/\*|\]\/text\s{0,2}\(\s{0,2}\)|["']\s{0,4}or\s{1,4}(?:position|last)\s{0,2}\(\s{0,2}\)/,
      {
        score: 5,
        quotable: true,
        unlessNamed: /(?:^|[_-])xpath$|^(?:selector|locator)$/,
        chars: CHAR.paren | CHAR.pipe | CHAR.bracket,
        attacks: [
          "' | //* | '",
          "x'] | //user/*[contains(*,'",
          "' or count(parent::*[position()=1])=0 or 'a'='b",
          "' or starts-with(name(),'a') or '",
          "doc('http://x/')",
          "*[local-name()='user']",
          '/*/*[1]/text()',
          "x']/text()",
          '1] | //user[1',
        ],
        benign: [
          '//div[@class="a"]/text()',
          '//a[@id] | //b[@id]',
          'count(*)',
          "read('a') | next",
          'a | b',
          'the self:: axis',
          'see name (first)',
        ],
      },
    ),
  ),
  // Between a string that is ended and the next one: a step, a comment or a function of XPath 2.
  pattern(
    'code/xpath-step',
    /["']\s{0,4}(?:or|and)(?:\s{1,4}\(?\s{0,2}\/\/[\w*]|\s{0,4}\/\*|\s{0,4}\(?\s{0,2}\.{1,2}\/[\w*]{1,24}\s{0,4}(?:or\b|and\b|[=|<>])|\s{0,4}\(?\s{0,2}(?:\.\s{0,2}[=<>!]|string-to-codepoints\s{0,2}\(|system-property\s{0,2}\(|unparsed-text\s{0,2}\())|["'\])]\s{0,2}\(:[^()\n]{0,24}:\)\s{0,2}(?:or\b|and\b|[|=\]<>])|["']\s{0,2}\]\s{0,2}\|\s{0,2}[\w*./]{1,40}\s{0,2}(?:\||\[\s{0,2}["'(])/,
    {
      score: 5,
      quotable: true,
      unlessNamed: /(?:^|[_-])xpath$/,
      chars: CHAR.apostrophe | CHAR.quote,
      attacks: ["' or .='x", "' or //* or '", "'(::)or(::)1=1", "x']|*|x['", '" or ../a or "'],
      benign: ["'a' or 'b'", "it's a (: smile :)", "x['a'] or y", 'a["b"] | c', "'and ...'", "'or /"],
    },
  ),
  // XQuery: clauses, and functions that load or run what the sender names.
  pattern(
    'code/xquery',
    /\bfor\s{1,4}\$\w{1,24}\s{1,4}in\s{1,4}(?:\/{1,2}\w|(?:fn:)?(?:doc|collection)\s{0,2}\()|\blet\s{1,4}\$\w{1,24}\s{0,4}:=|\bfn:(?:doc|collection|unparsed-text|environment-variable)\s{0,2}\(|\b(?:util|proc|file|xmldb|sql|process|xslt):(?:eval|system|execute|read-text|read-binary|login|write|append|list|delete|store|collection)\s{0,2}\(|\bdeclare\s{1,4}(?:variable\s{1,4}\$\w|(?:function|option)\s{1,4}[\w-]{1,24}:[\w-]{1,40}[\s(])/,
    {
      score: 5,
      quotable: true,
      chars: CHAR.dollar | CHAR.paren,
      attacks: [
        'for $x in //user return $x',
        "let $x := doc('a') return $x",
        "fn:doc('x')",
        'declare variable $x := 1;',
        "proc:system('id')",
      ],
      benign: ['for $5 in cash', 'let x := 1', 'file: list (a)', 'declare function'],
    },
  ),
  // A path of its own breaks out of nothing: those who read pages by selectors send it as data.
  pattern('code/xpath-path', /\/\/\*\[|^\s{0,4}\/{1,2}[\w/]{1,40}\[\d{1,4}\]\//, {
    score: 5,
    quotable: true,
    bare: true,
    unlessNamed: /(?:^|[_-])xpath$/,
    chars: CHAR.bracket,
    attacks: ['//*[contains(.,"x")]', '/html/body/div[2]/a'],
    benign: ['//a/b', '/* [x] */'],
  }),
]
