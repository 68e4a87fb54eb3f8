/**
 * Where the lexers stop: one table, so that they can be read, and compared with what documents hold, at one
 * place. A lexer takes its own into constants, which cost nothing where characters are read.
 */
export const LEXER_BOUNDS = {
  /** Commands and assignments before the command that they run. */
  wrappers: 3,
  /** Characters in which flags of such a command are looked for. */
  flags: 64,
  /** Characters of the name of an assigned variable. */
  variableName: 16,
  /** Characters of its value. */
  variableValue: 32,
  /** Characters of a tag. */
  tag: 1_024,
  /** Attributes of a tag. */
  attributes: 48,
  /**
   * How often one character may be read on average, for tags inside the quotes of tags: pages need less than
   * one. Markup that needs more is not read to its end, and inspection says so; as below.
   */
  rereads: 2,
  /** Elements that count less in some settings, behind which one that counts in all is looked for. */
  bareElements: 4,
  /** Commands of a text that are weighed; documents hold at most 125. */
  commands: 256,
  /** Parts of disguised words of a text; documents have less than half as many. */
  disguisedParts: 4_096,
  /** As bareElements, for commands. */
  bareCommands: 4,
  /** Of how many parts and dropped signs a word is put together. */
  wordParts: 24,
  /** Characters of a variable in braces. */
  bracedVariable: 16,
  /** Characters of a variable without, behind its first. */
  bareVariable: 8,
  /** Longest string or bracket, in tokens, that the grammar follows. */
  sqlReach: 160,
  /** Steps of the grammar over a text; documents take at most 215. */
  sqlSteps: 6_000,
  /** Brackets inside each other that are told apart. */
  sqlDepth: 256,
  /** Tokens of a string that is looked back over. */
  sqlLiteral: 16,
  /** Tokens of the line after a comment; a longer one is not skipped. */
  sqlLine: 64,
  /** Tokens of a list of columns. */
  sqlColumns: 48,
} as const
