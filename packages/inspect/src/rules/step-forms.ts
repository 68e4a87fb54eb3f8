import { pattern, type Rule, type Span } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import type { Reading } from '../value/reading.ts'

/** What is the name of one thing of a program, and not a way to it: a language, or a file in one folder. */
const PLAIN_NAME =
  /^(?:(?:ui_?|default_?|current_?|user_?|wp_?)?(?:lang|language|locale)|(?:down_?load|report|template|backup|log|export|attach(?:ment)?|temp|xml|pdf|save|real)?_?file_?name|f_?name)$/
const STEP = /^\s{0,2}\.\.[/\\]{1,2}[\w.-]/

/** One step up, where a name stands. */
function findNamedStep(reading: Reading): Span | undefined {
  if (!reading.fromStart || !PLAIN_NAME.test(reading.name)) return undefined
  const found = STEP.exec(reading.lower)
  return found === null ? undefined : { start: 0, end: found[0].length }
}

/** Steps up that are one step only, and that nobody writes for another reason. */
export const stepFormRules: readonly Rule[] = [
  // What is left of it, after a program took `../` out.
  pattern('traversal/doubled-step', /^\s{0,2}(?:[\w-]{1,32}\/|\/){0,4}(?:\.{4}\/\/|\.\.\.\/\.\/)[\w.%-]/, {
    score: 5,
    atStart: true,
    quotable: true,
    chars: CHAR.dots,
    places: ['query', 'body', 'cookie', 'file-name'],
    attacks: ['....//x', 'img/....//config.php', '..././x'],
    benign: ['...//x', '.... // x', 'a ....//b', '.../x'],
  }),
  // Dots that are encoded still when their value has been read: nobody encodes them (RFC 3986, 2.3).
  pattern('traversal/encoded-dots', /^[^\s?]{0,80}(?:%2e%2e|%2e\.|\.%2e)(?:[/\\]|%2f|%5c)/, {
    score: 5,
    atStart: true,
    quotable: true,
    chars: CHAR.percent,
    places: ['query', 'form', 'cookie', 'file-name'],
    attacks: ['%2e%2e/x', '.%2e/x', 'img/%2e%2e%2fx'],
    benign: ['%2e/x', 'a %2e%2e/ b', '100%2e'],
  }),
  {
    id: 'traversal/named-step',
    family: 'traversal',
    score: 5,
    quotable: false,
    atStart: true,
    chars: CHAR.dots,
    words: 0,
    places: ['query', 'form', 'cookie'],
    find: findNamedStep,
    // By the name of the parameter: the cases are in `test/rule-cases.ts`.
    attacks: [],
    benign: ['../x', 'en'],
  },
  // Steps whose slash is still encoded where the value was decoded.
  pattern('traversal/coded-step', /^\s{0,2}(?:\.\.%(?:25){0,3}(?:2f|5c)){1,16}/, {
    score: 5,
    atStart: true,
    chars: CHAR.percent,
    places: ['query', 'form'],
    attacks: ['..%2f', '..%252fx', '..%5C..%5Cx'],
    benign: ['%2f', 'a..%2f', '...', '100%'],
  }),
  // Letters that nothing has to encode, encoded twice: for whoever looks only once.
  pattern(
    'probe/encoded-letters',
    /(?<!%(?:25){0,3}[89a-f][\da-f])(?:%(?:25){1,3}(?:4[1-9a-f]|5[\da]|6[1-9a-f]|7[\da])|(?:%(?:4[1-9a-f]|5[\da]|6[1-9a-f]|7[\da])){3})/,
    {
      score: 5,
      chars: CHAR.percent,
      places: ['query', 'form'],
      attacks: ['%61%64%6d%69%6e', 'x=%2575nion'],
      benign: ['%E4%BD%A0%E5', '%20%2C%61', '%B0%41%B0%42', '%25B0%2541', '50%60%70'],
    },
  ),
]
