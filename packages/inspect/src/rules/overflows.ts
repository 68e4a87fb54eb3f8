import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'

/** Values that are to fill more memory than a program set aside for them, and what is put behind it. */
export const overflowRules: readonly Rule[] = [
  // A hundred times one letter or digit, and hardly anything else: no name, number or search is that.
  pattern('probe/overflow', /^[^\s]{0,24}?([a-z\d.%])\1{99,1000}/, {
    score: 5,
    atStart: true,
    chars: CHAR.run,
    places: ['path', 'query', 'header', 'cookie', 'form', 'name'],
    // Where people write, some try how long a text may be.
    unlessNamed: /title|description|comment|message|text|content|subject|note|bio|about|summary|body/,
    attacks: ['a'.repeat(120), `x=${'1'.repeat(400)}`],
    benign: [`${'a'.repeat(80)}`, `the ${'a'.repeat(30)} and so on`, '='.repeat(200), '-'.repeat(120)],
  }),
  // Directions for formatting, and nothing to format: what they print is the memory behind them, and `%n`
  // writes there.
  pattern(
    'probe/format',
    /^\s{0,2}[\w@.-]{0,24}(?:%\d{0,3}\$?[sxp][.,-]?){3,64}(?:%\d{0,3}\$?n|%[sxp]\s{0,2}$)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.percent,
      attacks: ['%s%s%s%s%n%n', '%x%x%x%x', '%p.%p.%p.%p'],
      benign: ['%s %s', '%Y-%m-%d', '100%', '%s%s'],
    },
  ),
  // The same with other directions, and widths that fill memory. A digit behind the percent sign is the code
  // of a character wherever it can be one: `%2C%2C`, `size%2030c`.
  pattern(
    'probe/format-run',
    /^\s{0,2}[\w@.-]{0,24}(?:(?:%n){3,64}|(?:%p){2,64}\s{0,2}$|(?:%\d{0,3}l{0,2}[xp][.,:_-]?){3,64}\s{0,2}$|(?:%[duicgef][.,-]?){6,64}\s{0,2}$|%(?:\.\d{4,10}|[0189]\d{3,9}|2147483647|4294967295)[sdxunfc](?:%[a-z]|\s{0,2}$))/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: CHAR.percent,
      places: ['path', 'query', 'header', 'cookie', 'form'],
      attacks: [
        '%n%n%n%n',
        '%d%d%d%d%d%d',
        '%g%g%g%g%g%g%g%g',
        '%.1024d',
        '%99999s',
        'x%2147483647s',
        '%08x.%08x.%08x',
        'AAAA%p%p',
      ],
      benign: [
        '%d.%d.%d.%d',
        '%Y%m%d%H%M%S',
        '50%',
        '%5d',
        '%1000',
        '%2c%2c%2c%2c%2c%2c%2c',
        '%5f%5f%5f%5f%5f%5f',
        'size%2030c',
        'duration%20120s',
        'temp%202500f',
        'part%2012345678c',
      ],
    },
  ),
  // Instructions that do nothing, so that it does not matter which of them is jumped to (x86).
  pattern('probe/machine-code', /\u0090{4}|\u00cc{6}/, {
    score: 5,
    exactCase: true,
    chars: CHAR.wide,
    places: ['path', 'query', 'header', 'cookie', 'form'],
    attacks: ['\u0090\u0090\u0090\u0090\u00cc', '\u00cc'.repeat(8)],
    benign: ['\u0090', '\u00cc\u00ed', '\u00e9t\u00e9'],
  }),
]
