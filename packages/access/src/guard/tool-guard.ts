import { ConfigError, type Json } from '@postern/core'
import type { ApprovalPreview } from '../approval/approval.ts'
import type { Resource } from '../policy/policy-set.ts'
import type { Access } from './access.ts'
import { publicRefusal } from './access-refusal.ts'
import { actArguments } from './act-arguments.ts'
import type { Permit } from './act-question.ts'
import type { ActRule, CompiledRule } from './act-rule.ts'
import type { Caller } from './guard.ts'

/** Arguments of a tool call, as the Model Context Protocol has them. */
export type ToolArguments = Readonly<Record<string, Json>>

/** The result of a tool call (MCP `CallToolResult`), as far as it is made here. */
export interface ToolResult {
  content: { type: 'text'; text: string }[]
  isError?: boolean
  structuredContent?: Record<string, unknown>
  [key: string]: unknown
}

/** What stands before one tool. */
export interface ToolRule extends ActRule {
  /** The action that policies and agents' lists name. Default: the tool's name. */
  readonly action?: string
  /** What a call is about, looked up by its arguments. */
  readonly resource?: (args: ToolArguments, caller: Caller) => Resource | Promise<Resource>
  /** What a call would do, for whoever consents. */
  readonly preview?: (args: ToolArguments, caller: Caller) => ApprovalPreview | Promise<ApprovalPreview>
}

/** Does the work of a tool. `changed` reports rows, which come off the agent's budget. */
export type ToolHandler<Result extends object> = (
  args: ToolArguments,
  call: { readonly permit: Permit; changed(rows: number): void },
) => Result | Promise<Result>

interface CompiledTool {
  readonly rule: ToolRule
  readonly compiled: CompiledRule
}

/**
 * Stands before the tools of an MCP server. A tool without a rule is refused: a tool that somebody adds is
 * not open until somebody has said for whom. A refusal is a result with `isError`, in words that a model can
 * act on, for errors of the protocol are often hidden from it.
 */
export class ToolGuard {
  readonly #access: Access
  readonly #tools: ReadonlyMap<string, CompiledTool>

  /** @throws ConfigError naming the tools whose rules cannot hold */
  constructor(access: Access, tools: Readonly<Record<string, ToolRule>>) {
    this.#access = access
    this.#tools = new Map(
      Object.entries(tools).map(([name, rule]) => {
        const { action: _action, resource: _resource, preview: _preview, ...plain } = rule
        return [name, { rule, compiled: access.compile(plain, `tools.${name}`) }]
      }),
    )
  }

  /**
   * The tools that a caller may see: those that nothing in memory refuses. The
   * list is a courtesy; every call is checked.
   */
  visible(caller: Caller): readonly string[] {
    return [...this.#tools]
      .filter(([name, { rule, compiled }]) => {
        const now = this.#access.checkNow({ ...caller, action: rule.action ?? name }, compiled)
        return now === undefined || !('why' in now)
      })
      .map(([name]) => name)
  }

  /**
   * Calls a tool, if the caller may.
   * @throws StoreError when that cannot be determined
   */
  async call<Result extends object>(
    name: string,
    args: ToolArguments,
    caller: Caller,
    handler: ToolHandler<Result>,
  ): Promise<Result | ToolResult> {
    const tool = this.#tools.get(name)
    if (tool === undefined)
      return refused(
        `The tool "${name.slice(0, 100)}" has no rule, so nobody may call it. Ask whoever runs this server to add one.`,
      )
    const { rule, compiled } = tool
    const resource = await rule.resource?.(args, caller)
    const { preview } = rule
    const outcome = await this.#access.check(
      {
        ...caller,
        action: rule.action ?? name,
        arguments: actArguments(args, 'drop'),
        ...(resource !== undefined && { resource }),
        ...(preview !== undefined && { preview: () => preview(args, caller) }),
      },
      compiled,
    )
    if (outcome.kind === 'refusal') {
      const { message, next, instance } = outcome.refusal
      const text = `${message} ${next}${instance === undefined ? '' : ` The request is ${instance}.`}`
      return { ...refused(text), structuredContent: { ...publicRefusal(outcome.refusal) } }
    }
    const { permit } = outcome
    const counted: Promise<void>[] = []
    const changed = (rows: number): void => {
      // The work is done: a store that is away must not make it look undone. The next call asks it first.
      counted.push(this.#access.changed(permit, rows).catch(() => {}))
    }
    try {
      const result = await settled(handler, args, { permit, changed }, counted)
      this.#access.ended(permit, 'isError' in result && result.isError === true ? 'failed' : 'done')
      return result
    } catch (error) {
      this.#access.ended(permit, 'failed')
      throw error
    }
  }

  /**
   * @throws ConfigError when tools that the server offers have no rule, so that it
   *   shows at start and not at the first call
   */
  checkCovers(names: Iterable<string>): void {
    const missing = [...names].filter(name => !this.#tools.has(name))
    if (missing.length > 0)
      throw new ConfigError(
        missing.map(name => ({
          place: `tools.${name}`,
          problem: 'the tool has no rule, so nobody may call it',
          hint: 'add one; {} is for everybody who has signed in by other means',
        })),
      )
  }
}

/** What the handler says, once what it reported is counted: the next call is decided by that. */
async function settled<Result extends object>(
  handler: ToolHandler<Result>,
  args: ToolArguments,
  call: Parameters<ToolHandler<Result>>[1],
  counted: readonly Promise<void>[],
): Promise<Result> {
  try {
    return await handler(args, call)
  } finally {
    await Promise.all(counted)
  }
}

function refused(text: string): ToolResult {
  return { isError: true, content: [{ type: 'text', text }] }
}
