/** `@postern/vault/agent`: what a language model or an analytics job may see. */
export { AgentView, type AgentViewOptions, type TokenFormat } from './agent/agent-view.ts'
