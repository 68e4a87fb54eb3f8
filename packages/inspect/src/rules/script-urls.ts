import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'

/**
 * What makes a program of what stands behind `javascript:`: a call, an assignment, a comment, or a name with
 * no space before it. `void(0)` and what ServiceNow writes into its links do nothing else.
 */
const PROGRAM = String.raw`(?!\x60)(?!\s{0,8}(?:void\s?\(\s?0?\s?\)(?:;?[ \t]{0,4}$|[ \t]{1,3}(?!in)[a-z])|gs\.(?:get|is|has|date|beginningof|endof|days|hours|minutes|months|quarters|years|now)[a-z\d]{0,24}\(["'\w,: -]{0,40}\)(?:$|[\s^&"'@])))\s{0,8}(?:[\w$.'"\x60[\](){}\\!~+/-]{0,40}[(\x60=[]|\/\/|\\|[\w.]{1,24}\.[\w.]{1,24}$|(?<=:)[a-z_][\w.]{0,23}$)`

/** Links that run what they say. */
export const scriptUrlRules: readonly Rule[] = [
  pattern(
    'xss/script-url',
    new RegExp(
      String.raw`(?:^[\u0000-\u0020]{0,8}|(?!"javascript:(?:void\(0?\))?;?"|'javascript:(?:void\(0?\))?;?')["'(=<>:]\s{0,2})(?:j\s?a\s?v\s?a|v\s?b|l\s?i\s?v\s?e)\s{0,3}s\s?c\s?r\s?i\s?p\s?t\s{0,4}:${PROGRAM}|^\s{0,4}(?:j\s?a\s?v\s?a|v\s?b)\s?s\s?c\s?r\s?i\s?p\s?t\s?:{1,2}\s{0,4}$`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.colon,
      attacks: [
        'javascript:alert(1)',
        "javascript:setInterval('ale'+'rt(1)')",
        'url(javascript:alert(1))',
        '"javascript://"/></head>',
        'java script:alert(1)',
        'java\r\nscript:alert(1)',
        'javascript:void(0);alert(1)',
        'javascript:void(0)>alert(1)',
        'javascript:void(0) in alert(1)',
        'javascript:void(0)\nalert(1)',
        'javascript:void(0);"".x.constructor("alert(1)")()',
        'javascript:gs.getX(alert(1))',
        'javascript:name',
        'javascript: document.location',
      ],
      benign: [
        'javascript:void(0)',
        'javascript:void(0);',
        'javascript:void(0) meaning',
        'href="javascript:void(0);"',
        'javascript:gs.getUserID()',
        'assigned_to=javascript:gs.getUserID()^active=true',
        'JavaScript: Basics of JavaScript Language',
        'javascript: the good parts',
        'Learn JavaScript: it is fun (really)',
        'JavaScript: advanced',
        'JavaScript: 12',
        'JavaScript:2024',
      ],
    },
  ),
  // Behind a space or a backtick, where people write of it: what makes a link of it has other signs.
  pattern(
    'xss/script-word',
    new RegExp(
      String.raw`[\x60\s,](?:j\s?a\s?v\s?a|v\s?b|l\s?i\s?v\s?e)\s?s\s?c\s?r\s?i\s?p\s?t\s{0,4}:${PROGRAM}`,
    ),
    {
      score: 5,
      quotable: true,
      chars: CHAR.colon,
      attacks: ['see javascript:alert(1)', '`javascript:alert(1)`', 'see javascript:name'],
      benign: [
        'languages: JavaScript: true',
        'JavaScript: Basics of JavaScript Language',
        'javascript: the good parts',
        'Learn JavaScript: it is fun (really)',
      ],
    },
  ),
]
