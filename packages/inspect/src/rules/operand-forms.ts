import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'
import { isOperandParameter } from '../value/value-setting.ts'
import { WORD } from '../value/words.ts'

/** A value that ends a statement: nothing, a number, or what closes a string or a bracket. */
const BEFORE = `^(?:-?\\d{0,12}['")]{0,3}|\\w{1,16}['"]\\)?)\\s{0,2};\\s{0,4}`
const END = '\\s{0,4}(?:;|--|#|/\\*|$)'

/** Statements that change or ask the server itself, to their end or as far as nobody else writes them. */
const ORDERS = [
  'do\\s{1,4}(?:sleep|benchmark|get_lock|pg_sleep)\\s{0,2}\\(',
  'handler\\s{1,4}[\\w.`]{1,60}\\s{1,4}(?:open|read|close)\\b',
  `reset\\s{1,4}(?:master|slave|replica|query\\s{1,4}cache|persist)${END}`,
  `vacuum(?:\\s{1,4}(?:full|analyze))?${END}`,
  `checkpoint${END}`,
  'rename\\s{1,4}(?:table|user)\\s{1,4}[\\w.`@\'"]{1,60}\\s{1,4}to\\s{1,4}\\S',
  `kill\\s{1,4}(?:query\\s{1,4}|connection\\s{1,4})?\\d{1,9}${END}`,
  `flush\\s{1,4}(?:tables|privileges|logs|hosts|status|binary\\s{1,4}logs)${END}`,
  'lock\\s{1,4}tables?\\s{1,4}[\\w.`]{1,60}\\s{1,4}(?:read|write|in\\s{1,4}\\w{1,12}\\s{1,4}mode)\\b',
  `show\\s{1,4}(?:tables|databases|schemas|grants|variables|processlist|warnings|privileges)${END}`,
  `use\\s{1,4}(?:mysql|information_schema|performance_schema|master|msdb|tempdb)${END}`,
  'explain\\s{1,4}(?:select|update|delete|insert)\\s{1,4}[\\w*(]',
  'prepare\\s{1,4}\\w{1,40}\\s{1,4}from\\s{1,4}(?:0x|@|[\'"])',
  'set\\s{1,4}@{1,2}\\w{1,60}\\s{0,2}:?=',
  'declare\\s{1,4}@\\w{1,40}\\s',
  'load\\s{1,4}data\\s{1,4}(?:local\\s{1,4})?infile\\b',
].join('|')

/** One operand of a condition: a number, a truth, with what turns it around. */
const OPERAND = '(?:not\\s{1,4}|[!~(-]){0,4}(?:0x[\\da-f]{1,16}|\\d{1,9}|true|false|null)\\){0,2}'
const SUM = `${OPERAND}(?:\\s?[-+*/%]\\s?${OPERAND})?`
const CONDITION = new RegExp(
  `^\\s{0,2}${SUM}(?:\\s{1,4}(?:x?or|and|having|div|mod|\\|\\||&&)\\s{1,4}${SUM}){1,3}(?:\\s{1,4}is\\s{1,4}(?:not\\s{1,4})?null)?\\s{0,2}$`,
)
/** A choice of numbers, which people make: `5 or 6`. */
const COUNTED = /^\s{0,2}(?:[2-9]|\d{2,9})(?:\s{1,4}(?:or|and)\s{1,4}(?:[3-9]|\d{2,9})){1,3}\s{0,2}$/
const WHOLE_QUERY = /^\s{0,2}select\s{1,4}[^;\n]{1,200}?\sfrom\s{1,4}[\w.`"[]/
/** Names of what lists say of themselves, where people choose by words as well. */
const NOT_LOOKED_UP = /(?:lang|locale|country|phone|e_?mail)$/

/** Of a text that is one name or number. */
const LONGEST = 400

/** A condition or a query, as the whole of what is to be one name or number. */
function findCondition(reading: Reading): Span | undefined {
  if (!reading.fromStart || reading.text.length > LONGEST) return undefined
  const { place, lower } = reading
  if (place === 'name' || place === 'file-name') return undefined
  const isCondition = CONDITION.test(lower) && !COUNTED.test(lower)
  if (!isCondition && !WHOLE_QUERY.test(lower)) return undefined
  const { name } = reading
  return isOperandParameter(name) && !NOT_LOOKED_UP.test(name) ? { start: 0, end: lower.length } : undefined
}

/** Signs alone, behind one name or number. */
const SIGNS_BEHIND = /^[\w .@-]{0,40}?([().,'"]{5,16})$/
/** Characters of both. */
const MOST_SIGNED = 56
/** Where nothing is known of the name, so many of them. */
const MANY_SIGNS = 7

/** Quotes and brackets without a word, which break any query, path or page that they are put into. */
function findSigns(reading: Reading): Span | undefined {
  if (reading.isPiece || !reading.fromStart || reading.text.length > MOST_SIGNED) return undefined
  const signs = SIGNS_BEHIND.exec(reading.text)?.[1]
  if (signs === undefined) return undefined
  const double = signs.split('"').length - 1
  const single = signs.split("'").length - 1
  // Who closes what he opens writes code, or a face.
  if (double % 2 === 0 && single % 2 === 0) return undefined
  if (!/[(),]/.test(signs) || double + single === signs.length) return undefined
  const isProbe = signs.length >= MANY_SIGNS && double > 0 && single > 0
  return isProbe || isOperandParameter(reading.name) ? { start: 0, end: reading.text.length } : undefined
}

/** What a query goes on with behind one operand, where no word of a sentence stands before it. */
export const operandFormRules: readonly Rule[] = [
  pattern('sqli/stacked-order', new RegExp(`${BEFORE}(?:${ORDERS})`), {
    score: 5,
    quotable: true,
    atStart: true,
    chars: CHAR.semicolon,
    attacks: [
      '1;DO SLEEP(5)',
      "x';reset master--",
      '1;HANDLER a OPEN',
      ';vacuum',
      '-1); rename table a to b',
      '1;kill 5',
      "1';set @a=1",
      '1;show tables',
      '1;lock tables a write',
      '1;use mysql#',
    ],
    benign: [
      'cleaner;vacuum',
      'to do; sleep 5 hours',
      'event; handler open',
      '1; reset',
      '1;call me',
      '1; set the table',
      'chess; reset master clocks',
      '5; show table 6',
      'a;kill 5',
      'garden; lock tables',
    ],
  }),
  // A statement without anything that ends the one before: what scanners try, and drivers of old ran.
  pattern(
    'sqli/statement-behind',
    /^-?\d{1,12}['")]{0,3}\s{1,4}(?:insert\s{1,4}into\s{1,4}[\w.`]{1,60}\s{0,2}(?:\([\w\s,.`]{1,200}\)\s{0,4})?(?:values?\s{0,2}\(|select\b)|delete\s{1,4}from\s{1,4}[\w.`]{1,60}\s{1,4}where\s{1,4}(?:[\w.`(]{1,60}\s{0,2}(?:[=<>!)]|--|#|like\b|in\b|is\b)|\d{1,6}\s{0,2}$)|update\s{1,4}[\w.`]{1,60}\s{1,4}set\s{1,4}[\w.`]{1,60}\s{0,2}=)|^\w{0,16}['"]\)?\s{1,4}select\s{1,4}(?:\*|null|@@\w{1,24}|\d{1,6}(?:\s{0,2},\s{0,2}\d{1,6}){0,12})\s{1,4}from\s{1,4}[\w.`]/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      words: WORD.sqlVerb,
      attacks: [
        '1 DELETE FROM users WHERE 1',
        '1 insert into a values(1)',
        "-5' update users set a=1",
        "x' SELECT 1 FROM a",
      ],
      benign: [
        '1 insert into each box',
        '2 updates set for May',
        '1 delete from cart where old',
        "'select 5 from the list'",
      ],
    },
  ),
  // An operator that only queries have, and its comment.
  pattern(
    'sqli/rare-operator',
    /^[\w-]{0,16}['"]\)?\s{1,4}(?:not\s{1,4})?(?:sounds\s{1,4}like|rlike|regexp|similar\s{1,4}to|collate|div|mod|xor)\s{1,4}['"(\d]|^-?\d{1,10}\s{1,4}(?:div|mod|xor|rlike|regexp)\s{1,4}\d{1,10}\s{0,2}(?:--|#|\/\*)|^\s{0,2}-?\d{1,9}\s{1,4}(?:x?or|and)\s{1,4}(?:not\s{1,4})?(?:0x[\da-f]{1,16}(?!\w)|\(\s{0,2}(?:0x[\da-f]|true\b|false\b|null\b|\d{1,9}\s{1,4}(?:or|and|like)\s{1,4}(?:[\d(]|true\b|false\b|null\b|not\b))|\d{1,9}\s{1,4}is\s{1,4}(?:not\s{1,4})?null\b|(\d{1,9})\s?\*\s?\1\s{0,2}$|(\d{1,9})\s{1,4}or\s{1,4}\2\s{0,2}$)/,
    {
      score: 5,
      quotable: true,
      atStart: true,
      chars: 0,
      words: WORD.sqlLogic,
      attacks: [
        "1' SOUNDS LIKE 'a",
        '1 DIV 1--',
        '1 or 0x1',
        '1 or (0x01)',
        '1 or (1 or true)',
        '1 or not 1 is null',
        '1 or 1*1',
        '1 or 1 or 1',
      ],
      benign: [
        "it sounds like 'a'",
        '5 div 2',
        '1 or 2',
        '5 or (6)',
        '1 or (2 and a half)',
        '1 or 2 or 3',
        '1 or not',
      ],
    },
  ),
  pattern('sqli/sum-commented', /^\d{1,10}\s?[*%^&|]\s?\d{1,10}\s{0,2}\/\*/, {
    score: 5,
    atStart: true,
    chars: CHAR.comment,
    attacks: ['1*1/*', '5^5 /*a'],
    benign: ['2024-01/*', '1*1 / *', '16/9/*'],
  }),
  {
    id: 'sqli/operand-condition',
    family: 'sqli',
    score: 5,
    quotable: false,
    atStart: true,
    chars: 0,
    words: WORD.sqlLogic | WORD.sqlVerb,
    needs: [CONDITION, WHOLE_QUERY],
    find: findCondition,
    // By the name of the parameter: the cases are in `test/operand-forms.test.ts`.
    attacks: [],
    benign: ['1 or 1', '5 or 6', 'select a from b'],
  },
  {
    id: 'sqli/signs',
    family: 'sqli',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.apostrophe | CHAR.quote,
    words: 0,
    places: ['query', 'body', 'cookie', 'path'],
    needs: [SIGNS_BEHIND],
    find: findSigns,
    attacks: [`1'"(),..`, `1.)(("'',,`, `ann.',"))((.`, `).',)."),(`],
    benign: [`("o")`, `(>'')>`, `"",""`, `5' 10"`, `f('',"")`, `('_')`, '(((', `''''''''`, `"a",'b')`],
  },
]
