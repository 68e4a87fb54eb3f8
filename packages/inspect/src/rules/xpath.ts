import { CHAR } from '../features.ts'
import { unopened } from '../lex/unopened.ts'
import { type PatternRule, pattern, type Rule } from '../rule.ts'

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
        unlessNamed: /(?:^|[_-])xpath$/,
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
